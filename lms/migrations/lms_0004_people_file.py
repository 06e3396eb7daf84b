"""files of people that are being looked at"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import lms.db

revision = "lms_0004"
down_revision = "lms_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "lms_people_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", lms.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["lms_person.id"], name=op.f("fk_lms_people_file_by_id_lms_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lms_people_file")),
        sa.UniqueConstraint("uid", name=op.f("uq_lms_people_file_uid")),
    )
    op.create_index("ix_lms_people_file_made_at", "lms_people_file", ["made_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("lms_people_file")
