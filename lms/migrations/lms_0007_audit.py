"""The audit log is found by moment, act, person and subject.

Revision ID: lms_0007
Revises: lms_0005
"""

from __future__ import annotations

from alembic import op

revision = "lms_0007"
down_revision = "lms_0006"
branch_labels = None
depends_on = None

# Each ends as the pages are ordered, so that one is read without sorting what is before it.
INDEXES = (("at", "id"), ("act", "at", "id"), ("actor_id", "at", "id"), ("subject", "at", "id"))


def upgrade() -> None:
    with op.batch_alter_table("lms_audit", schema=None) as batch_op:
        batch_op.drop_index("ix_lms_audit_at")
        for columns in INDEXES:
            batch_op.create_index(f"ix_lms_audit_{'_'.join(columns)}", list(columns))


def downgrade() -> None:
    with op.batch_alter_table("lms_audit", schema=None) as batch_op:
        for columns in INDEXES:
            batch_op.drop_index(f"ix_lms_audit_{'_'.join(columns)}")
        batch_op.create_index("ix_lms_audit_at", ["at"])
