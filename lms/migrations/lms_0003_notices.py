"""notices: mail with patience, and what was read"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import lms.db

revision = "lms_0003"
down_revision = "lms_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; what was sent before stays sent."""
    with op.batch_alter_table("lms_notice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("read_at", lms.db.UtcDateTime(timezone=True)))
        batch_op.add_column(
            sa.Column("mailing", sa.String(length=8), nullable=False, server_default="waiting")
        )
        batch_op.add_column(sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("next_try_at", lms.db.UtcDateTime(timezone=True)))
        batch_op.drop_index("ix_lms_notice_person_id")
        batch_op.drop_index("ix_lms_notice_sent_at")
    op.execute("UPDATE lms_notice SET next_try_at = created_at")
    op.execute("UPDATE lms_notice SET mailing = 'sent' WHERE sent_at IS NOT NULL")
    with op.batch_alter_table("lms_notice", schema=None) as batch_op:
        batch_op.alter_column("next_try_at", nullable=False)
        batch_op.create_index("ix_lms_notice_mailing_next_try_at", ["mailing", "next_try_at"])
        batch_op.create_index("ix_lms_notice_person_id_created_at", ["person_id", "created_at"])


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("lms_notice", schema=None) as batch_op:
        batch_op.drop_index("ix_lms_notice_person_id_created_at")
        batch_op.drop_index("ix_lms_notice_mailing_next_try_at")
        batch_op.create_index("ix_lms_notice_sent_at", ["sent_at"])
        batch_op.create_index("ix_lms_notice_person_id", ["person_id"])
        batch_op.drop_column("next_try_at")
        batch_op.drop_column("tries")
        batch_op.drop_column("mailing")
        batch_op.drop_column("read_at")
