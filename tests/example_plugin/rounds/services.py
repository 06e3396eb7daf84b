"""What can be done with rounds. A service decides, and never commits: the request does."""

from __future__ import annotations

from sqlalchemy import delete, select

from lms import clock
from lms.db import db
from lms.errors import Invalid
from lms.events import EvidenceChanged, PersonErased, publish
from rounds.models import Round

MOST_CHARS = 200


def walk(person_id: int, seen: str) -> Round:
    """Note a round; raises Invalid where nothing was seen, or too much for one line."""
    seen = seen.strip()
    if not seen:
        raise Invalid("Write down one thing you saw. Nothing was saved yet.")
    if len(seen) > MOST_CHARS:
        raise Invalid(
            "One line is enough: %(most)d characters at most. Nothing was saved.", most=MOST_CHARS
        )
    made = Round(person_id=person_id, walked_at=clock.now(), seen=seen)
    db.session.add(made)
    db.session.flush()
    publish(EvidenceChanged(frozenset({person_id})))
    return made


def rounds_of(person_id: int) -> list[Round]:
    """Return somebody's rounds, the newest first."""
    asked = select(Round).where(Round.person_id == person_id).order_by(Round.walked_at.desc())
    return list(db.session.scalars(asked))


def forget(event: PersonErased) -> None:
    """Empty what could name an erased person; that a round was walked may stay."""
    db.session.execute(delete(Round).where(Round.person_id == event.person_id))
