"""Few statements are about another one: the index of those that are holds no others.

A statement less in an index is a page less in each commit.

Revision ID: xapi_0010
Revises: xapi_0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "xapi_0010"
down_revision = "xapi_0009"
branch_labels = None
depends_on = None

NAME = "ix_xapi_statement_refers_to"
SOME = sa.text("refers_to IS NOT NULL")


def upgrade() -> None:
    op.drop_index(NAME, "xapi_statement")
    op.create_index(NAME, "xapi_statement", ["refers_to"], sqlite_where=SOME, postgresql_where=SOME)


def downgrade() -> None:
    op.drop_index(NAME, "xapi_statement")
    op.create_index(NAME, "xapi_statement", ["refers_to"])
