"""sessions that were signed out of"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import lms.db

revision = "lms_0005"
down_revision = "lms_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "lms_ended_session",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("until", lms.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_lms_ended_session")),
    )
    op.create_index("ix_lms_ended_session_until", "lms_ended_session", ["until"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("lms_ended_session")
