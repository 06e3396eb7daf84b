"""an index of the attempts that are not finished"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "courses_0003"
down_revision = "courses_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_courses_attempt_open",
        "courses_attempt",
        ["version_id", "person_id"],
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_courses_attempt_open", table_name="courses_attempt")
