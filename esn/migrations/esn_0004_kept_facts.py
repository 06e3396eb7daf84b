"""whether a network has told devices, and how many acts it brought: kept, not looked for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "esn_0004"
down_revision = "esn_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; what is in the ledger is looked through this once."""
    with op.batch_alter_table("esn_connector") as batch:
        batch.add_column(
            sa.Column("told_client", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch.add_column(sa.Column("acts", sa.BigInteger(), nullable=False, server_default="0"))
    connector = sa.table(
        "esn_connector",
        sa.column("id", sa.Integer),
        sa.column("told_client", sa.Boolean),
        sa.column("acts", sa.BigInteger),
    )
    usage = sa.table("esn_usage", sa.column("connector_id", sa.Integer), sa.column("client"))
    told = sa.func.max(sa.case((usage.c.client.in_(("mobile", "desktop")), 1), else_=0))
    rows = op.get_bind().execute(
        sa.select(usage.c.connector_id, sa.func.count(), told).group_by(usage.c.connector_id)
    )
    for connector_id, acts, has_told in rows.all():
        op.execute(
            connector.update()
            .where(connector.c.id == connector_id)
            .values(acts=acts, told_client=bool(has_told))
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("esn_connector") as batch:
        batch.drop_column("acts")
        batch.drop_column("told_client")
