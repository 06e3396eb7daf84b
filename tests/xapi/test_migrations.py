"""What a migration derives from the statements that are there is what storing would have noted."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import select

from lms import migrate
from lms.db import db
from tests.xapi.lrs import OTHER, Provider, attachment, multipart, statement
from xapi.lrs.models import LrsDocument, LrsMention, LrsStatement, LrsStatementAttachment

DORIS = {"mbox": "mailto:Doris.Low@example.test"}
EXTENSION = "http://example.test/ext/who"


def take_back_to(revision: str) -> None:
    """Take the branch of xapi back to a revision."""

    def steps(heads: tuple[str, ...], _context: MigrationContext) -> list[Any]:
        mine = tuple(one for one in heads if one.startswith("xapi_"))
        return migrate.scripts()._downgrade_revs(revision, mine)  # type: ignore[arg-type]

    db.session.remove()
    migrate._run(partial(steps))


def noted() -> dict[str, set[Any]]:
    mention, link = LrsMention, LrsStatementAttachment
    found = {
        "mentions": {tuple(row) for row in db.session.execute(select(mention.person, mention.statement))},
        "brought": {tuple(row) for row in db.session.execute(select(link.sha2, link.statement, link.brought))},
        "documents": {tuple(row) for row in db.session.execute(select(LrsDocument.agent, LrsDocument.person))},
    }  # fmt: skip
    db.session.rollback()
    return found


def test_people_and_attachments_are_found_in_what_was_stored_before(app: Flask) -> None:
    one, two = Provider(app), Provider(app)
    plain, elsewhere, shared = attachment(b"plain"), attachment(b"there too"), attachment(b"shared")
    elsewhere["fileUrl"] = shared["fileUrl"] = "http://example.test/f"

    def send(provider: Provider, content: bytes, **parts: Any) -> None:
        whole = statement(actor=OTHER, **parts)
        body, kind = multipart(whole, (parts["attachments"][0]["sha2"], content))
        assert provider.ask("POST", data=body, content_type=kind).status_code == 200

    send(one, b"plain", attachments=[plain])
    send(one, b"there too", attachments=[elsewhere])
    send(one, b"shared", attachments=[shared])
    for claim in (plain, shared):  # another system names them, without the bytes
        two.post(statement(attachments=[{**claim, "fileUrl": "http://example.test/f"}]))
    one.post(
        [
            statement(actor=DORIS),
            statement(actor=OTHER, context={"extensions": {EXTENSION: ["x", DORIS]}}),
            *(statement(actor=OTHER) for _ in range(3)),
        ]
    )
    one.ask(
        "PUT", "agents/profile", data=b"x", headers={"If-None-Match": "*"},
        content_type="text/plain",
        query_string={"profileId": "p", "agent": orjson.dumps(OTHER).decode()},
    )  # fmt: skip
    before = noted()
    assert len(before["mentions"]) == 2
    take_back_to("xapi_0010")
    migrate.upgrade()
    after = noted()
    assert after["mentions"] == before["mentions"]
    assert after["documents"] == before["documents"]
    # Of what two systems name, and one sent, nobody can tell any more whose it was.
    [(sha2, row, _)] = [
        found for found in before["brought"] if found[0] == shared["sha2"] and found[2]
    ]
    assert after["brought"] == before["brought"] - {(sha2, row, True)} | {(sha2, row, False)}
    assert db.session.scalar(select(LrsStatement.id).limit(1)) == 1


def test_every_revision_can_be_taken_back(app: Flask) -> None:
    take_back_to("xapi_0001")
    migrate.upgrade()
    Provider(app).post(statement())
