"""statements are compared by their text, when their id comes again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "xapi_0003"
down_revision = "xapi_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.drop_column("xapi_statement", "fingerprint")


def downgrade() -> None:
    """Take back; the fingerprints are gone, and an earlier version would find every id taken."""
    op.add_column(
        "xapi_statement",
        sa.Column("fingerprint", sa.String(length=32), nullable=False, server_default=""),
    )
