"""familiar devices and places; codes that wait are sealed; notices to a former address"""

from __future__ import annotations

import base64
import hashlib

import sqlalchemy as sa
from alembic import op
from cryptography.fernet import Fernet
from flask import current_app

revision = "lms_0006"
down_revision = "lms_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; a code that waits to be mailed is sealed, and mailed all the same."""
    op.create_table(
        "lms_familiar",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["lms_identity.person_id"],
            name=op.f("fk_lms_familiar_person_id_lms_identity"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", "key", name=op.f("pk_lms_familiar")),
    )
    op.create_index("ix_lms_familiar_until", "lms_familiar", ["until"])
    op.add_column("lms_notice", sa.Column("address", sa.String(length=254)))

    op.add_column("lms_sign_in_code", sa.Column("sealed", sa.LargeBinary()))
    codes = sa.table("lms_sign_in_code", sa.column("id"), sa.column("unsent"), sa.column("sealed"))
    box = _box()
    rows = op.get_bind().execute(
        sa.select(codes.c.id, codes.c.unsent).where(codes.c.unsent.is_not(None))
    )
    for code_id, unsent in rows.all():  # the column holds JSON as text
        sealed = box.encrypt(str(unsent).encode())
        op.get_bind().execute(codes.update().where(codes.c.id == code_id).values(sealed=sealed))
    op.drop_column("lms_sign_in_code", "unsent")
    op.execute("ALTER TABLE lms_sign_in_code RENAME COLUMN sealed TO unsent")


def _box() -> Fernet:
    """The seal of sign-in codes, as it was when this revision was made."""
    secret = str(current_app.config["LMS_SECRET_KEY"])
    key = hashlib.sha256(f"people.codes:{secret}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def downgrade() -> None:
    """Take back; codes that wait are forgotten: people ask again."""
    op.execute("DELETE FROM lms_sign_in_code WHERE unsent IS NOT NULL")
    op.drop_column("lms_sign_in_code", "unsent")
    op.add_column("lms_sign_in_code", sa.Column("unsent", sa.Text()))
    op.execute("DELETE FROM lms_notice WHERE address IS NOT NULL")
    op.drop_column("lms_notice", "address")
    op.drop_table("lms_familiar")
