"""*Everything since* goes for what other systems stored, too.

Revision ID: xapi_0012
Revises: xapi_0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "xapi_0012"
down_revision = "xapi_0011"
branch_labels = None
depends_on = None

COLUMNS = ("forward_last", "resume")


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    with op.batch_alter_table("xapi_backfill", schema=None) as batch_op:
        for name in COLUMNS:
            batch_op.add_column(sa.Column(name, big, nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("xapi_backfill", schema=None) as batch_op:
        for name in COLUMNS:
            batch_op.drop_column(name)
