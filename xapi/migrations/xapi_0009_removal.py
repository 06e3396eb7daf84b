"""statements removed for good, and kept for so long only"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import lms.db

revision = "xapi_0009"
down_revision = "xapi_0008"
branch_labels = None
depends_on = None

# So that a row that goes takes along what hangs on it without reading all that waits.
INDEXES = (
    ("ix_xapi_pending_outbox", "xapi_pending", "outbox_id"),
    ("ix_xapi_parked_outbox", "xapi_parked", "outbox_id"),
    ("ix_xapi_forward_statement", "xapi_forward", "statement"),
)


def upgrade() -> None:
    """Apply."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = lms.db.UtcDateTime(timezone=True)
    place = op.create_table(
        "xapi_place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("last_id", big, nullable=False),
        sa.Column("last_stored", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_place")),
    )
    op.bulk_insert(place, [{"id": 1, "generation": 0, "last_id": 0, "last_stored": None}])
    op.create_table(
        "xapi_removal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("keys", lms.db.Json(), nullable=False),
        sa.Column("digests", lms.db.Json(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("to_do", big, nullable=False),
        sa.Column("statements", big, nullable=False),
        sa.Column("replaced", big, nullable=False),
        sa.Column("documents", big, nullable=False),
        sa.Column("copies", big, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"],
            ["lms_person.id"],
            name=op.f("fk_xapi_removal_by_id_lms_person"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["lms_person.id"],
            name=op.f("fk_xapi_removal_person_id_lms_person"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_removal")),
        sa.UniqueConstraint("uid", name=op.f("uq_xapi_removal_uid")),
    )
    retention = op.create_table(
        "xapi_retention",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("statements", sa.Integer(), nullable=True),
        sa.Column("network", sa.Integer(), nullable=True),
        sa.Column("outbox", sa.Integer(), nullable=True),
        sa.Column("looked_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_retention")),
    )
    op.bulk_insert(retention, [{"id": 1}])
    op.create_table(
        "xapi_retention_run",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("statements", big, nullable=False),
        sa.Column("copies", big, nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_xapi_retention_run")),
    )
    for name, table, column in INDEXES:
        op.create_index(name, table, [column])


def downgrade() -> None:
    """Take back."""
    for name, table, _column in INDEXES:
        op.drop_index(name, table_name=table)
    for table in ("xapi_retention_run", "xapi_retention", "xapi_removal", "xapi_place"):
        op.drop_table(table)
