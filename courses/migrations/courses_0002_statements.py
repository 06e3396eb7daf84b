"""which statement tells of a completion"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "courses_0002"
down_revision = "courses_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Completions of before name no statement; nothing else is lost."""
    op.add_column(
        "courses_completion", sa.Column("statement_id", sa.String(length=36), nullable=True)
    )


def downgrade() -> None:
    """Take back."""
    op.drop_column("courses_completion", "statement_id")
