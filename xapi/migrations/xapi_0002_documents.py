"""documents"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import lms.db

revision = "xapi_0002"
down_revision = "xapi_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "xapi_document",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("agent", sa.String(length=32), nullable=False),
        sa.Column("activity", sa.String(length=32), nullable=False),
        sa.Column("registration", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.String(length=40), nullable=False),
        sa.Column("updated", lms.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_document")),
        sa.UniqueConstraint("key", name=op.f("uq_xapi_document_key")),
    )
    with op.batch_alter_table("xapi_document", schema=None) as batch_op:
        batch_op.create_index(
            "ix_xapi_document_group", ["agent", "activity", "kind", "updated"], unique=False
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("xapi_document", schema=None) as batch_op:
        batch_op.drop_index("ix_xapi_document_group")
    op.drop_table("xapi_document")
