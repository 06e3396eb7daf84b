"""What other systems keep here about a person, for the page that tells them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from lms.db import db
from lms.people.models import Person
from lms.plugin import Held
from xapi.delivery.embedded import AUTHORITY
from xapi.keeping.replaced import is_theirs
from xapi.keeping.subject import Subject, of_person
from xapi.lrs.credentials import authority_of
from xapi.lrs.documents import of_person as kept_under
from xapi.lrs.models import (
    LrsActivity,
    LrsAgent,
    LrsDocument,
    LrsMention,
    LrsStatement,
    LrsStatementAgent,
)
from xapi.sentences import read_sentence


def statements(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Statements of other systems that say what the person did, or what was done to them.

    Found by the opaque account and the present mail address, newest first, whole. Those of others
    that merely name them say more of others than of them.
    """
    subject = _subject(person_id)
    if subject is None:
        return []
    agents = select(LrsAgent.id).where(LrsAgent.key.in_(subject.keys))
    link = LrsStatementAgent
    named = select(link.statement).where(link.agent_id.in_(agents), link.direct.is_(True))
    spelt = select(LrsMention.statement).where(LrsMention.person.in_(subject.keys))
    rows = db.session.execute(
        select(LrsStatement.text, LrsStatement.stored)
        .where(LrsStatement.id.in_(named.union(spelt)))
        .order_by(LrsStatement.id.desc())
    )
    ours = authority_of(AUTHORITY)
    found = []
    for text, at in rows:
        statement = orjson.loads(text)
        if statement["authority"] != ours and is_theirs(statement, subject.keys):
            about = statement["object"].get("id") or ""
            found.append(
                {"verb": statement["verb"]["id"], "about": about, "at": at, "statement": text}
            )
    return found


def statement_in_words(row: Mapping[str, Any]) -> str:
    """Say a statement of another system to the person whom it is about."""
    sentence = read_sentence(orjson.loads(row["statement"]))
    return str(_("“%(act)s”: %(thing)s", act=sentence.verb, thing=sentence.thing))


def documents(person_id: int) -> Sequence[Mapping[str, Any]]:
    """States and profiles that other systems keep under the person, last changed first."""
    subject = _subject(person_id)
    if subject is None:
        return []
    rows = db.session.execute(
        select(LrsDocument, LrsActivity.iri)
        .outerjoin(LrsActivity, LrsActivity.key == LrsDocument.activity)
        .where(kept_under(subject.keys))
        .order_by(LrsDocument.updated.desc(), LrsDocument.id.desc())
    )
    return [
        {
            "kind": one.kind,
            "name": one.name,
            "activity": iri or "",
            "media type": one.content_type,
            "at": one.updated,
            "content": _as_text(one.content),
        }
        for one, iri in rows
    ]


def document_in_words(row: Mapping[str, Any]) -> str:
    """Say a document to the person under whom it is kept."""
    if row["kind"] == "state":
        return str(_("Where you left off: “%(name)s”.", name=row["name"]))
    return str(_("A note about you: “%(name)s”.", name=row["name"]))


def _subject(person_id: int) -> Subject | None:
    person = db.session.get(Person, person_id)
    if person is None or not current_app.config["LMS_LRS_EMBEDDED"]:
        return None
    return of_person(person)


def _as_text(content: bytes) -> str:
    """Return a document as it reads, or in base64 where it is no text."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return base64.b64encode(content).decode()


HELD = (
    Held(
        "xapi.others",
        _l("What other systems recorded about you"),
        _l("So that what you learn elsewhere is in the same record."),
        _l("Administrators, and the systems that may read the record store."),
        _l(
            "Under the account or mail address that those systems use, for as long as the record store keeps it."
        ),
        statements,
        statement_in_words,
    ),
    Held(
        "xapi.documents",
        _l("What other systems noted about you"),
        _l("So that another system goes on where you left it."),
        _l("Administrators, and the systems that may read these notes."),
        _l("Until those systems remove it."),
        documents,
        document_in_words,
    ),
)
