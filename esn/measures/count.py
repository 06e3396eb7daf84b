"""The four measures of real use: acts, people answered, days, groups.

Each is one select over the ledger for all people, or for those of whom the filter speaks. With
`within_days` the value is the best of any stretch of so many days (`esn.measures.stretch`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Select, Subquery, distinct, func, literal, or_, select

from esn.measures.basis import Counted, enough
from esn.measures.stretch import PERSON, best_stretch
from esn.measures.words import with_day as words
from esn.models import Usage
from lms import clock
from lms.db import db
from lms.evidence import Basis, Filter, Gap, Source, Window

Words = Any  # a lazily translated string


@dataclass(frozen=True)
class UsageMeasure:
    """A count over the ledger: of acts, or of different values of one column."""

    slug: str
    label: Words
    unit: Words
    column: str | None  # None: the number of acts
    lacking: Callable[[int, str | None], str]
    sources: frozenset[Source] = frozenset({Source.EVENT, Source.AGGREGATE})

    def values(self, window: Window, where: Filter) -> Select[tuple[int, int]]:
        """Return (person_id, value); see lms.evidence.Measure."""
        if window.within_days is None:
            return (
                select(PERSON, self._value().label("value"))
                .where(*_conditions(window, where))
                .group_by(Usage.person_id)
            )
        return best_stretch(self.column, _conditions(window, where), window.within_days)

    def missing(self, person_id: int, window: Window, where: Filter, need: int) -> Gap:
        """Say what one person lacks: in the stretch that runs now, unless an earlier one sufficed."""
        where = dataclasses.replace(where, people=(person_id,))
        best = self._of_one(person_id, window, where)
        url: str | None = current_app.config["LMS_NETWORK_URL"] or None
        if best >= need or window.within_days is None:
            return Gap(
                best,
                need,
                words(self.lacking(need - best, where.verb), None, where.client)
                if best < need
                else "",
                url,
            )
        today = clock.day_number(window.until or clock.now())
        opens = today - window.within_days + 1
        since = dt.datetime.combine(clock.EPOCH + dt.timedelta(days=opens), dt.time(), dt.UTC)
        if window.since is not None:
            since = max(since, window.since)
        running = Window(since, window.until)
        have = self._of_one(person_id, running, where)
        first = self._first_to_fall_out(running, where)
        by = None
        if first is not None:
            by = clock.EPOCH + dt.timedelta(days=first + window.within_days - 1)
        text = words(self.lacking(need - have, where.verb), by, where.client)
        return Gap(have, need, text, url, by)

    def basis(self, person_id: int, window: Window, where: Filter, need: int) -> Basis:
        """Return the acts that brought it: the first that sufficed, one for each that had to differ."""
        thing = literal(None) if self.column is None else getattr(Usage, self.column)
        rows = db.session.execute(
            select(Usage.day, thing, Usage.count, Usage.event_key, Usage.statement_id)
            .where(*_conditions(window, dataclasses.replace(where, people=(person_id,))))
            .order_by(Usage.occurred_at, Usage.id)
        )
        acts = [
            Counted(day, of, weight if self.column is None else 1, event, statement_id)
            for day, of, weight, event, statement_id in rows
            if self.column is None or of is not None
        ]
        found = enough(acts, need, window.within_days)
        return Basis(
            statements=tuple(act.statement_id for act in found if act.statement_id),
            things=tuple(act.event for act in found),
        )

    def _first_to_fall_out(self, running: Window, where: Filter) -> int | None:
        """Return the day of what is lost first when time goes on: of each thing, its latest day."""
        acts = _conditions(running, where)
        if self.column is None:
            days = select(Usage.day).where(*acts).subquery()
            return self._earliest(days)
        thing = getattr(Usage, self.column)
        latest = (
            select(func.max(Usage.day).label("day"))
            .where(*acts, thing.is_not(None))
            .group_by(thing)
            .subquery()
        )
        return self._earliest(latest)

    def _earliest(self, days: Subquery) -> int | None:
        found: int | None = db.session.scalar(select(func.min(days.c.day)))
        return found

    def _of_one(self, person_id: int, window: Window, where: Filter) -> int:
        found = self.values(window, where).subquery()
        return int(
            db.session.scalar(select(found.c.value).where(found.c.person_id == person_id)) or 0
        )

    def _value(self) -> ColumnElement[int]:
        if self.column is None:
            return func.sum(Usage.count)
        return func.count(distinct(getattr(Usage, self.column)))


def _conditions(window: Window, where: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Usage.person_id.is_not(None)]
    if where.people is not None:
        found.append(Usage.person_id.in_(where.people))
    if window.since is not None:
        found.append(Usage.occurred_at >= window.since)
    if window.until is not None:
        found.append(Usage.occurred_at < window.until)
    for column, value in (
        (Usage.verb, where.verb),
        (Usage.group_kind, where.group_kind),
        (Usage.client, where.client),
    ):
        if value is not None:
            found.append(column == value)
    if where.others_only:
        found.append(or_(Usage.recipient_id.is_(None), Usage.recipient_id != Usage.account_id))
    kinds = [source.value for source in (Source.EVENT, Source.AGGREGATE) if source in where.sources]
    if where.sources:
        found.append(Usage.kind.in_(kinds))
    return found
