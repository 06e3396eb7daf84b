"""credentials rotated"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import lms.db

revision = "xapi_0005"
down_revision = "xapi_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("xapi_credential", schema=None) as batch_op:
        batch_op.add_column(sa.Column("made_by_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("last_used_on", sa.Date(), nullable=True))
        batch_op.add_column(
            sa.Column("rotated_at", lms.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("old_secret_hash", sa.String(length=64), nullable=True))
        batch_op.add_column(
            sa.Column("old_until", lms.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("old_used_on", sa.Date(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_xapi_credential_made_by_id_lms_person"),
            "lms_person",
            ["made_by_id"],
            ["id"],
            ondelete="SET NULL",
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("xapi_credential", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_xapi_credential_made_by_id_lms_person"), type_="foreignkey"
        )
        batch_op.drop_column("old_used_on")
        batch_op.drop_column("old_until")
        batch_op.drop_column("old_secret_hash")
        batch_op.drop_column("rotated_at")
        batch_op.drop_column("last_used_on")
        batch_op.drop_column("made_by_id")
