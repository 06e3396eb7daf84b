"""record stores that administrators add; sending the past; forwarding"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import lms.db

revision = "xapi_0007"
down_revision = "xapi_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = lms.db.UtcDateTime(timezone=True)
    op.create_table(
        "xapi_store",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.String(length=8), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("everything", sa.Boolean(), nullable=False),
        sa.Column("position", big, nullable=False),
        sa.Column("but_not", sa.String(length=32), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("removed_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_store")),
        sa.UniqueConstraint("name", name=op.f("uq_xapi_store_name")),
    )
    op.create_table(
        "xapi_backfill",
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("since", moment, nullable=True),
        sa.Column("cursor", big, nullable=False),
        sa.Column("last_id", big, nullable=False),
        sa.Column("total", big, nullable=False),
        sa.Column("queued", big, nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_xapi_backfill")),
    )
    op.create_table(
        "xapi_backfill_person",
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("cursor", big, nullable=False),
        sa.PrimaryKeyConstraint("target", "person_id", name=op.f("pk_xapi_backfill_person")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "xapi_forward",
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("statement", big, nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("parked_at", moment, nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["statement"],
            ["xapi_statement.id"],
            name=op.f("fk_xapi_forward_statement_xapi_statement"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("target", "statement", name=op.f("pk_xapi_forward")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("xapi_outbox", schema=None) as batch_op:
        batch_op.create_index("ix_xapi_outbox_person", ["person_id", "id"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("xapi_outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_xapi_outbox_person")
    op.drop_table("xapi_forward")
    op.drop_table("xapi_backfill_person")
    op.drop_table("xapi_backfill")
    op.drop_table("xapi_store")
