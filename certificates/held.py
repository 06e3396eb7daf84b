"""What certificates hold about a person, for the page that tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from certificates.models import Award, Definition
from lms import days
from lms.db import db
from lms.plugin import Held


def awards(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Awards, newest first, with the evidence frozen in them."""
    rows = db.session.execute(
        select(Award, Definition.slug)
        .join(Definition, Definition.id == Award.definition_id)
        .where(Award.person_id == person_id)
        .order_by(Award.earned_at.desc())
    )
    return [
        {
            "certificate": slug,
            "title": award.printed["title"],
            "earned": award.earned_at,
            "evidence": orjson.dumps(award.evidence).decode(),
            "revoked": award.revoked_at,
        }
        for award, slug in rows
    ]


def in_words(row: Mapping[str, Any]) -> str:
    """Say which certificate it is, since when, and whether it was taken back."""
    earned = days.in_words(row["earned"])
    words = _("You earned “%(title)s” on %(day)s.", title=row["title"], day=earned)
    if row["revoked"] is None:
        return str(words)
    return f"{words} {_('It was taken back on %(day)s.', day=days.in_words(row['revoked']))}"


HELD = (
    Held(
        "certificates.awards",
        _l("Your certificates"),
        _l("So that a certificate can be proved, with what it rests on."),
        _l("You. Whoever has its code sees the page that proves it, without any counts."),
        _l("For good; once your name is removed, neither paper nor page carries it."),
        awards,
        in_words,
    ),
)
