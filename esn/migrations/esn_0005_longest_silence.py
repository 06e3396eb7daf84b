"""how long a network was silent at most, so far"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "esn_0005"
down_revision = "esn_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; what was before is not known, and a long weekend is allowed for in any case."""
    with op.batch_alter_table("esn_connector") as batch:
        batch.add_column(
            sa.Column("longest_silence_seconds", sa.Integer(), nullable=False, server_default="0")
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("esn_connector") as batch:
        batch.drop_column("longest_silence_seconds")
