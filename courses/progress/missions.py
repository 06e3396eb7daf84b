"""What learners are on a mission for: what they then do in the network counts toward it."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Select, select

from courses.blocks.content import get_content
from courses.blocks.mission import MissionCard, asked_of
from courses.progress.models import Attempt
from lms.db import db
from lms.evidence import Condition


def conditions() -> list[Condition]:
    """Return each mission of a course that somebody is in, with a select of those who are."""
    versions = db.session.scalars(
        select(Attempt.version_id).where(Attempt.finished_at.is_(None)).distinct()
    ).all()
    found = []
    for version_id in sorted(versions):
        content = get_content(version_id)
        asked = [
            asked_of(card.data)
            for card in content.cards.values()
            if isinstance(content.kinds[card.id], MissionCard)
        ]
        people = _under_way(version_id)
        found += [Condition(measure, where, window, people) for measure, where, window in asked]
    return found


@lru_cache(maxsize=256)
def _under_way(version_id: int) -> Select[tuple[int]]:
    # Kept: it is asked for each batch of acts, and SQLAlchemy knows a select again by itself.
    return select(Attempt.person_id).where(
        Attempt.version_id == version_id, Attempt.finished_at.is_(None)
    )
