"""sign-in: passkeys, codes, join links, tries"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import lms.db

revision = "lms_0002"
down_revision = "lms_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "lms_tries",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("stretch", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("until", lms.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "stretch", name=op.f("pk_lms_tries")),
    )
    with op.batch_alter_table("lms_tries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lms_tries_until"), ["until"], unique=False)

    op.create_table(
        "lms_join_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("manager_id", sa.Integer(), nullable=True),
        sa.Column("job_role", sa.String(length=80), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", lms.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("most_uses", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("closed_at", lms.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["lms_person.id"], name=op.f("fk_lms_join_link_made_by_id_lms_person")
        ),
        sa.ForeignKeyConstraint(
            ["manager_id"], ["lms_person.id"], name=op.f("fk_lms_join_link_manager_id_lms_person")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["lms_identity.person_id"],
            name=op.f("fk_lms_join_link_person_id_lms_identity"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["lms_unit.id"], name=op.f("fk_lms_join_link_unit_id_lms_unit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lms_join_link")),
        sa.UniqueConstraint("uid", name=op.f("uq_lms_join_link_uid")),
    )
    with op.batch_alter_table("lms_join_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lms_join_link_person_id"), ["person_id"], unique=False)

    op.create_table(
        "lms_passkey",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1024), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("transports", lms.db.Json(), nullable=True),
        sa.Column("backup_state", sa.Boolean(), nullable=False),
        sa.Column("device_type", sa.String(length=64), nullable=False),
        sa.Column("extensions", sa.String(length=255), nullable=True),
        sa.Column("lastuse_datetime", lms.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("usage", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["lms_identity.person_id"],
            name=op.f("fk_lms_passkey_person_id_lms_identity"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lms_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_lms_passkey_credential_id")),
    )
    with op.batch_alter_table("lms_passkey", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lms_passkey_person_id"), ["person_id"], unique=False)

    op.create_table(
        "lms_sign_in_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("link_hash", sa.String(length=64), nullable=False),
        sa.Column("way_back", sa.String(length=500), nullable=False),
        sa.Column("expires_at", lms.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("unsent", lms.db.Json(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["lms_identity.person_id"],
            name=op.f("fk_lms_sign_in_code_person_id_lms_identity"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lms_sign_in_code")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_lms_sign_in_code_link_hash")),
        sa.UniqueConstraint("uid", name=op.f("uq_lms_sign_in_code_uid")),
    )
    with op.batch_alter_table("lms_sign_in_code", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_lms_sign_in_code_expires_at"), ["expires_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_lms_sign_in_code_person_id"), ["person_id"], unique=False
        )

    # By columns and indexes, not by constraints: SQLite would have to rebuild the table.
    op.add_column("lms_identity", sa.Column("sign_in_name", sa.String(64)))
    op.add_column("lms_identity", sa.Column("fs_webauthn_user_handle", sa.String(64)))
    op.create_index("ix_lms_identity_sign_in_name", "lms_identity", ["sign_in_name"], unique=True)
    op.create_index(
        "ix_lms_identity_fs_webauthn_user_handle",
        "lms_identity",
        ["fs_webauthn_user_handle"],
        unique=True,
    )
    op.create_index(
        "uq_lms_identity_email_lower", "lms_identity", [sa.text("lower(email)")], unique=True
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("uq_lms_identity_email_lower", "lms_identity")
    for column in ("fs_webauthn_user_handle", "sign_in_name"):
        op.drop_index(f"ix_lms_identity_{column}", "lms_identity")
        op.drop_column("lms_identity", column)
    with op.batch_alter_table("lms_sign_in_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lms_sign_in_code_person_id"))
        batch_op.drop_index(batch_op.f("ix_lms_sign_in_code_expires_at"))

    op.drop_table("lms_sign_in_code")
    with op.batch_alter_table("lms_passkey", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lms_passkey_person_id"))

    op.drop_table("lms_passkey")
    with op.batch_alter_table("lms_join_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lms_join_link_person_id"))

    op.drop_table("lms_join_link")
    with op.batch_alter_table("lms_tries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lms_tries_until"))

    op.drop_table("lms_tries")
