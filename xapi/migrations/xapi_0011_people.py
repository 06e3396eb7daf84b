"""Persons are found however they are named; the bytes of an attachment belong to who sent them.

Revision ID: xapi_0011
Revises: xapi_0010
"""

from __future__ import annotations

import orjson
import sqlalchemy as sa
from alembic import op

# What is derived from statements is derived by the rules that hold when this runs.
from xapi.lrs.multipart import attachments_of
from xapi.lrs.parts import parts_of

revision = "xapi_0011"
down_revision = "xapi_0010"
branch_labels = None
depends_on = None

BATCH = 500


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "xapi_mention",
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("statement", big, nullable=False),
        sa.PrimaryKeyConstraint("person", "statement", name=op.f("pk_xapi_mention")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("xapi_document", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("person", sa.String(length=32), nullable=False, server_default="")
        )
    # What an agent's key was made from cannot be read from it: these are found as they are written.
    op.execute(sa.text("UPDATE xapi_document SET person = agent"))
    with op.batch_alter_table("xapi_document", schema=None) as batch_op:
        batch_op.create_index("ix_xapi_document_person", ["person"], unique=False)
    with op.batch_alter_table("xapi_statement_attachment", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("brought", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    _note_what_is_there()


def _note_what_is_there() -> None:
    statements = sa.table("xapi_statement", sa.column("id"), sa.column("text"))
    mentions = sa.table("xapi_mention", sa.column("person"), sa.column("statement"))
    links = sa.table(
        "xapi_statement_attachment",
        sa.column("sha2"),
        sa.column("statement"),
        sa.column("brought", sa.Boolean()),
    )
    connection = op.get_bind()
    last = 0
    while True:
        rows = connection.execute(
            sa.select(statements.c.id, statements.c.text)
            .where(
                statements.c.id > last,
                sa.or_(
                    *(
                        statements.c.text.contains(one)
                        for one in ('"extensions"', '"mbox', '"sha2"')
                    )
                ),
            )
            .order_by(statements.c.id)
            .limit(BATCH)
        ).all()
        if not rows:
            break
        last = rows[-1].id
        told = {row.id: orjson.loads(row.text) for row in rows}
        found = [
            {"person": person, "statement": row_id}
            for row_id, statement in told.items()
            for person in sorted(parts_of(statement).mentions)
        ]
        if found:
            connection.execute(mentions.insert(), found)
        # Without an address of its own an attachment came with its statement, or was refused.
        for row_id, statement in told.items():
            came = {
                one["sha2"].lower() for one in attachments_of(statement) if "fileUrl" not in one
            }
            if came:
                connection.execute(
                    links.update()
                    .where(links.c.statement == row_id, links.c.sha2.in_(sorted(came)))
                    .values(brought=True)
                )
    _settle_the_others(statements, links)


def _settle_the_others(statements: sa.TableClause, links: sa.TableClause) -> None:
    """Say who brought the bytes that are left, where it can be said: all who name them are one.

    Where several systems do, nobody knows now which one sent them: they are shown to none.
    """
    connection = op.get_bind()
    attachments = sa.table("xapi_attachment", sa.column("sha2"))
    brought = sa.exists().where(links.c.sha2 == attachments.c.sha2, links.c.brought.is_(sa.true()))
    for sha2 in connection.scalars(sa.select(attachments.c.sha2).where(~brought)).all():
        texts = connection.scalars(
            sa.select(statements.c.text)
            .join(links, links.c.statement == statements.c.id)
            .where(links.c.sha2 == sha2)
        )
        authorities = {orjson.dumps(orjson.loads(text)["authority"]) for text in texts}
        if len(authorities) == 1:
            connection.execute(links.update().where(links.c.sha2 == sha2).values(brought=True))


def downgrade() -> None:
    with op.batch_alter_table("xapi_statement_attachment", schema=None) as batch_op:
        batch_op.drop_column("brought")
    with op.batch_alter_table("xapi_document", schema=None) as batch_op:
        batch_op.drop_index("ix_xapi_document_person")
        batch_op.drop_column("person")
    op.drop_table("xapi_mention")
