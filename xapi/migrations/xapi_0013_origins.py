"""Credentials name the origins whose pages may use them.

Revision ID: xapi_0013
Revises: xapi_0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "xapi_0013"
down_revision = "xapi_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("xapi_credential", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origins", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("xapi_credential", schema=None) as batch_op:
        batch_op.drop_column("origins")
