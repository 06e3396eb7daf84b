"""mail is claimed, counted and told apart; kinds of mail that a person stopped"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

import lms.db

revision = "lms_0008"
down_revision = "lms_0007"
branch_labels = None
depends_on = None

MOMENT = lms.db.UtcDateTime(timezone=True)


def _claims() -> list[sa.Column[Any]]:
    return [
        sa.Column("mail_doubts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("claimed_by", sa.String(length=160), nullable=True),
        sa.Column("claimed_until", MOMENT, nullable=True),
    ]


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE lms_notice RENAME COLUMN tries TO mail_tries")
    for column in _claims():
        op.add_column("lms_notice", column)
    waiting: list[sa.Column[Any]] = [
        sa.Column("mailing", sa.String(length=8), nullable=False, server_default="waiting"),
        sa.Column("mail_tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failed", sa.String(length=300), nullable=False, server_default=""),
        # Long ago: what waits to be sent is due.
        sa.Column(
            "next_try_at", MOMENT, nullable=False, server_default="2020-01-01 00:00:00.000000"
        ),
        *_claims(),
    ]
    for column in waiting:
        op.add_column("lms_sign_in_code", column)
    op.execute("UPDATE lms_sign_in_code SET mailing = 'sent' WHERE unsent IS NULL")
    op.create_table(
        "lms_mail_trouble",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["lms_person.id"], name=op.f("fk_lms_mail_trouble_person_id_lms_person")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_lms_mail_trouble")),
    )
    op.create_index("ix_lms_mail_trouble_person_id", "lms_mail_trouble", ["person_id"])
    op.create_table(
        "lms_notice_stop",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["lms_person.id"], name=op.f("fk_lms_notice_stop_person_id_lms_person")
        ),
        sa.PrimaryKeyConstraint("person_id", "kind", name=op.f("pk_lms_notice_stop")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("lms_notice_stop")
    op.drop_table("lms_mail_trouble")
    for name in (
        "mailing",
        "mail_tries",
        "failed",
        "next_try_at",
        "mail_doubts",
        "claimed_by",
        "claimed_until",
    ):
        op.drop_column("lms_sign_in_code", name)
    for name in ("mail_doubts", "claimed_by", "claimed_until"):
        op.drop_column("lms_notice", name)
    op.execute("ALTER TABLE lms_notice RENAME COLUMN mail_tries TO tries")
