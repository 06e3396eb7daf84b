"""What is recorded about a person as statements, for the page that tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from lms.db import db
from lms.plugin import Held
from xapi.outbox.models import OutboxStatement
from xapi.sentences import read_sentence
from xapi.vocabulary import (
    ANSWERED,
    COMMENTED,
    COMPLETED,
    EARNED,
    FAILED,
    FOLLOWED,
    INITIALIZED,
    JOINED,
    MENTIONED,
    PASSED,
    POSTED,
    PROGRESSED,
    REACTED,
    REPLIED,
    SHARED,
    VOIDED,
)

SENTENCES = {
    INITIALIZED.iri: _l("You began “%(thing)s”."),
    PROGRESSED.iri: _l("You went on with “%(thing)s”."),
    ANSWERED.iri: _l("You answered “%(thing)s”."),
    PASSED.iri: _l("You passed “%(thing)s”."),
    FAILED.iri: _l("You did not pass “%(thing)s” that time."),
    COMPLETED.iri: _l("You completed “%(thing)s”."),
    EARNED.iri: _l("You earned “%(thing)s”."),
    POSTED.iri: _l("You posted in the network."),
    REPLIED.iri: _l("You replied in the network."),
    COMMENTED.iri: _l("You commented in the network."),
    REACTED.iri: _l("You reacted in the network."),
    JOINED.iri: _l("You joined a group in the network."),
    FOLLOWED.iri: _l("You followed somebody or something in the network."),
    MENTIONED.iri: _l("You mentioned a colleague in the network."),
    SHARED.iri: _l("You shared something in the network."),
    VOIDED.iri: _l("Something was taken back in the network; its statement no longer counts."),
}


def statements(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Statements recorded about the person, newest first, whole."""
    rows = db.session.execute(
        select(OutboxStatement.text, OutboxStatement.recorded_at)
        .where(OutboxStatement.person_id == person_id)
        .order_by(OutboxStatement.id.desc())
    )
    found = []
    for text, at in rows:
        statement = orjson.loads(text)
        verb = statement["verb"].get("display", {}).get("en") or statement["verb"]["id"]
        found.append(
            {"verb": verb, "about": statement["object"]["id"], "at": at, "statement": text}
        )
    return found


def in_words(row: Mapping[str, Any]) -> str:
    """Say a statement to the person whom it is about."""
    statement = orjson.loads(row["statement"])
    sentence = read_sentence(statement)
    known = SENTENCES.get(statement["verb"]["id"])
    if known is None:
        return str(_("“%(act)s”: %(thing)s", act=sentence.verb, thing=sentence.thing))
    words = str(known) % {"thing": sentence.thing}
    if statement["verb"]["id"] == ANSWERED.iri and sentence.success is not None:
        right = _("Your answer was right.") if sentence.success else _("Your answer was not right.")
        return f"{words} {right}"
    return words


HELD = (
    Held(
        "xapi.statements",
        _l("What was recorded about your learning"),
        _l("So that the company has a record of learning that other systems can read."),
        _l("Administrators, and the record stores that they have connected."),
        _l("Under your opaque id, for as long as the record store keeps it."),
        statements,
        in_words,
    ),
)
