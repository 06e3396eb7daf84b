"""the table of rounds"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import lms.db

revision = "rounds_0001"
down_revision = None
branch_labels = ("rounds",)
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "rounds_round",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("person_id", sa.Integer(), sa.ForeignKey("lms_person.id"), nullable=False),
        sa.Column("walked_at", lms.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen", sa.String(length=200), nullable=False),
    )
    op.create_index("ix_rounds_round_person_id", "rounds_round", ["person_id"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("rounds_round")
