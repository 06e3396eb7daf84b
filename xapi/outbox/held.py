"""What is recorded about a person as statements, for the page that tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from lms.db import db
from lms.plugin import Held
from xapi.outbox.models import OutboxStatement


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


HELD = (
    Held(
        "xapi.statements",
        _l("What was recorded about your learning"),
        _l("So that the company has a record of learning that other systems can read."),
        _l("Administrators, and the record stores that they have connected."),
        _l("Under your opaque id, for as long as the record store keeps it."),
        statements,
    ),
)
