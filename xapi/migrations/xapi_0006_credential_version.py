"""credential version, and the scope define"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "xapi_0006"
down_revision = "xapi_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("xapi_credential", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    # Until now every credential that stored statements said what things are called.
    op.execute(
        "UPDATE xapi_credential SET scopes = scopes || ' define' "
        "WHERE scopes LIKE '%statements/write%'"
    )


def downgrade() -> None:
    """Take back."""
    op.execute("UPDATE xapi_credential SET scopes = replace(scopes, ' define', '')")
    with op.batch_alter_table("xapi_credential", schema=None) as batch_op:
        batch_op.drop_column("version")
