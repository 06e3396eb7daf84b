"""which statement tells of an act"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "esn_0003"
down_revision = "esn_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Acts of before name no statement; nothing else is lost."""
    op.add_column("esn_usage", sa.Column("statement_id", sa.String(length=36), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("esn_usage", "statement_id")
