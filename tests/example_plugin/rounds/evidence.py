"""A measure for certificates and missions, and a column for managers: one select each, for all."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import current_app, url_for
from sqlalchemy import Select, case, func, literal, null, select

from lms import clock
from lms.db import db
from lms.evidence import Filter, Gap, Source, Window
from lms.people.models import Person
from lms.plugin import CellState
from rounds.models import Round

MONTH_DAYS = 30


class Walked:
    """How many rounds somebody has walked."""

    slug = "rounds.walked"
    label = "rounds walked"
    unit = "rounds"
    sources = frozenset({Source.RECORD})

    def values(self, window: Window, where: Filter) -> Select[tuple[int, int]]:
        """Count the rounds of everybody in one select."""
        asked = select(Round.person_id, func.count()).group_by(Round.person_id)
        if window.since is not None:
            asked = asked.where(Round.walked_at >= window.since)
        if window.until is not None:
            asked = asked.where(Round.walked_at < window.until)
        if isinstance(where.people, tuple) or where.people is not None:
            asked = asked.where(Round.person_id.in_(where.people))
        return asked

    def missing(self, person_id: int, window: Window, where: Filter, need: int) -> Gap:
        """Say in words what one person lacks."""
        counted = self.values(window, where).where(Round.person_id == person_id).subquery()
        have = db.session.scalar(select(counted.c[1])) or 0
        return Gap(have, need, f"Walk {max(0, need - have)} more.", url_for("rounds.mine"))


class RoundColumn:
    """Whether a round was walked in the last thirty days."""

    slug = "rounds.month"
    label = "Safety round"
    total = None
    detail = False

    def cells(self, people: Select[tuple[int]]) -> Select[Any]:
        """One row for each of `people`: done, or due at the end of their month."""
        since = clock.now() - dt.timedelta(days=MONTH_DAYS)
        last = (
            select(Round.person_id, func.max(Round.walked_at).label("at"))
            .group_by(Round.person_id)
            .subquery()
        )
        done = last.c.at >= since
        return (
            select(
                Person.id,
                case(
                    (done, literal(CellState.DONE.value)),
                    else_=literal(CellState.NOT_STARTED.value),
                ),
                null(),
                null(),
            )
            .outerjoin(last, last.c.person_id == Person.id)
            .where(Person.id.in_(people))
        )


def columns() -> list[RoundColumn]:
    """Return the column, unless the company asks for no rounds."""
    return [RoundColumn()] if current_app.config["LMS_ROUNDS_A_MONTH"] else []
