"""a path says which language it is written in"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "courses_0005"
down_revision = "courses_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "courses_path",
        sa.Column("language", sa.String(length=16), nullable=False, server_default=""),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_column("courses_path", "language")
