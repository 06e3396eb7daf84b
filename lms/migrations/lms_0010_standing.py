"""where everybody stands, kept for the manager's page; words by which people are found"""

from __future__ import annotations

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

import lms.db

revision = "lms_0010"
down_revision = "lms_0007"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 2_000
BETWEEN = re.compile(r"[^\w@.+]+")
PARTS = re.compile(r"[^\w]+")


def upgrade() -> None:
    """Apply. The standing itself is built by the job, which finds columns that are not."""
    op.create_table(
        "lms_team_column",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=120), nullable=False),
        sa.Column("reached", sa.Integer(), nullable=True),
        sa.Column("built_at", lms.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lms_team_column")),
        sa.UniqueConstraint("slug", name=op.f("uq_lms_team_column_slug")),
    )
    op.create_table(
        "lms_team_standing",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("column_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("due_at", lms.db.UtcDateTime(timezone=True), nullable=True),
        _of_identity("lms_team_standing"),
        sa.ForeignKeyConstraint(
            ["column_id"],
            ["lms_team_column.id"],
            name=op.f("fk_lms_team_standing_column_id_lms_team_column"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", "column_id", name=op.f("pk_lms_team_standing")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_lms_team_standing_column_id", "lms_team_standing", ["column_id", "person_id"]
    )
    op.create_table(
        "lms_team_summary",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", lms.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("achieved", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        _of_identity("lms_team_summary"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_lms_team_summary")),
    )
    words = op.create_table(
        "lms_search_word",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column(
            "word",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        _of_identity("lms_search_word"),
        sa.PrimaryKeyConstraint("person_id", "word", name=op.f("pk_lms_search_word")),
        sqlite_with_rowid=False,
    )
    _fill(words)
    op.create_index("ix_lms_search_word_word", "lms_search_word", ["word", "person_id"])


def downgrade() -> None:
    """Take back."""
    for table in ("lms_search_word", "lms_team_summary", "lms_team_standing", "lms_team_column"):
        op.drop_table(table)


def _of_identity(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person_id"],
        ["lms_identity.person_id"],
        name=op.f(f"fk_{table}_person_id_lms_identity"),
        ondelete="CASCADE",
    )


def _fill(words: sa.Table) -> None:
    connection = op.get_bind()
    reached = 0
    while True:
        people = connection.execute(
            sa.text(
                "SELECT person_id, display_name, email, employee_number, sign_in_name"
                " FROM lms_identity WHERE person_id > :reached ORDER BY person_id LIMIT :most"
            ),
            {"reached": reached, "most": ROWS_AT_ONCE},
        ).all()
        if not people:
            return
        rows = [
            {"person_id": person_id, "word": word}
            for person_id, *texts in people
            for word in sorted(_words(texts))
        ]
        if rows:
            connection.execute(sa.insert(words), rows)
        reached = people[-1][0]


def _words(texts: list[str | None]) -> set[str]:
    found: set[str] = set()
    for text in texts:
        plain = unicodedata.normalize("NFKD", text or "")
        folded = "".join(char for char in plain if not unicodedata.combining(char)).casefold()
        for whole in folded.split():
            found |= {whole, *BETWEEN.split(whole), *PARTS.split(whole)}
    return {word[:80] for word in found if word}
