"""files of statements; which statements name an attachment"""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

import lms.db

revision = "xapi_0004"
down_revision = "xapi_0003"
branch_labels = None
depends_on = None

BATCH = 1000


def upgrade() -> None:
    """Apply."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "xapi_export",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("made_at", lms.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("wanted", lms.db.Json(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("part", sa.String(length=12), nullable=False),
        sa.Column("cursor", sa.String(length=128), nullable=False),
        sa.Column("last_row", big, nullable=False),
        sa.Column("to_do", big, nullable=False),
        sa.Column("done", big, nullable=False),
        sa.Column("compressed", sa.Boolean(), nullable=False),
        sa.Column("sizes", lms.db.Json(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("ended_at", lms.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"],
            ["lms_person.id"],
            name=op.f("fk_xapi_export_by_id_lms_person"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["lms_person.id"],
            name=op.f("fk_xapi_export_person_id_lms_person"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_export")),
        sa.UniqueConstraint("uid", name=op.f("uq_xapi_export_uid")),
    )
    with op.batch_alter_table("xapi_export", schema=None) as batch_op:
        batch_op.create_index("ix_xapi_export_state", ["state", "id"], unique=False)
    links = op.create_table(
        "xapi_statement_attachment",
        sa.Column("sha2", sa.String(length=128), nullable=False),
        sa.Column("statement", big, nullable=False),
        sa.ForeignKeyConstraint(
            ["statement"],
            ["xapi_statement.id"],
            name=op.f("fk_xapi_statement_attachment_statement_xapi_statement"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sha2", "statement", name=op.f("pk_xapi_statement_attachment")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("xapi_statement_attachment", schema=None) as batch_op:
        batch_op.create_index("ix_xapi_statement_attachment_statement", ["statement"], unique=False)
    _link_what_is_there(links)


def _link_what_is_there(links: sa.Table) -> None:
    """Note which of the statements stored so far name attachments."""
    found = sa.table("xapi_statement", sa.column("id"), sa.column("text"))
    connection = op.get_bind()
    last = 0
    while True:
        rows = connection.execute(
            sa.select(found.c.id, found.c.text)
            .where(found.c.id > last, found.c.text.contains('"sha2"'))
            .order_by(found.c.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        last = rows[-1].id
        named = [
            {"sha2": sha2, "statement": row.id}
            for row in rows
            for sha2 in sorted(_named(orjson.loads(row.text)))
        ]
        if named:
            connection.execute(links.insert(), named)


def _named(statement: dict[str, Any]) -> set[str]:
    holders = (statement, statement["object"])
    return {one["sha2"].lower() for holder in holders for one in holder.get("attachments", ())}


def downgrade() -> None:
    """Take back."""
    op.drop_table("xapi_statement_attachment")
    op.drop_table("xapi_export")
