"""The four measures of real use: acts, people answered, days, groups.

Each is one select over the ledger for all people, or for those of whom the filter speaks. With
`within_days` the value is the best of any stretch of so many days (`esn.measures.stretch`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import current_app
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    distinct,
    exists,
    func,
    literal,
    null,
    or_,
    select,
)

from esn.connectors.contract import kinds
from esn.measures.basis import Counted, enough
from esn.measures.stretch import PERSON, best_stretch
from esn.measures.words import with_day as words
from esn.models import Connector, Usage
from lms import clock
from lms.db import UtcDateTime, db
from lms.evidence import Basis, Filter, Gap, Source, Window

Words = Any  # a lazily translated string
Moment = dt.datetime | ColumnElement[dt.datetime] | None


@dataclass(frozen=True, eq=False)
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
        acts = _conditions(where, window.since, window.until)
        if window.within_days is None:
            return (
                select(PERSON, self._value().label("value")).where(*acts).group_by(Usage.person_id)
            )
        return best_stretch(self.column, acts, window.within_days)

    def reports(self, where: Filter) -> bool:
        """Whether any network that may has said which device is used, where that is asked for."""
        if where.client is None:
            return True
        able = [name for name, kind in kinds().items() if kind.reports_client]
        return bool(db.session.connection().scalar(_TOLD, {"able": able}))

    def missing(self, person_id: int, window: Window, where: Filter, need: int) -> Gap:
        """Say what one person lacks: in the stretch that runs now, unless an earlier one sufficed."""
        days, since = window.within_days, window.since
        if days is not None:
            opens = clock.day_number(window.until or clock.now()) - days + 1
            begins = dt.datetime.combine(clock.EPOCH + dt.timedelta(days=opens), dt.time(), dt.UTC)
            since = begins if since is None else max(since, begins)
        best, have, first = db.session.execute(
            _of_one(self, dataclasses.replace(where, people=None), days),
            {
                "person": person_id,
                "since": window.since or _BEFORE_ALL,
                "running": since or _BEFORE_ALL,
                "until": window.until or _AFTER_ALL,
            },
        ).one()
        url: str | None = current_app.config["LMS_NETWORK_URL"] or None
        if best >= need:
            return Gap(int(best), need, "", url)
        by = None
        if days is not None and first is not None:
            by = clock.EPOCH + dt.timedelta(days=first + days - 1)
        text = words(self.lacking(need - int(have), where.verb), by, where.client)
        return Gap(int(have), need, text, url, by)

    def bases(
        self, people: Collection[int], window: Window, where: Filter, need: int
    ) -> dict[int, Basis]:
        """Return the acts that brought it: the first that sufficed, one for each that had to differ."""
        thing = literal(None) if self.column is None else getattr(Usage, self.column)
        where = dataclasses.replace(where, people=tuple(people))
        rows = db.session.execute(
            select(
                Usage.person_id, Usage.day, thing, Usage.count, Usage.event_key, Usage.statement_id
            )
            .where(*_conditions(where, window.since, window.until))
            .order_by(Usage.person_id, Usage.occurred_at, Usage.id)
        )
        acts: dict[int, list[Counted]] = {}
        for person_id, day, of, weight, event, statement_id in rows.tuples():
            if person_id is not None and (self.column is None or of is not None):
                counted = Counted(
                    day, of, weight if self.column is None else 1, event, statement_id
                )
                acts.setdefault(person_id, []).append(counted)
        found = {
            person_id: enough(theirs, need, window.within_days)
            for person_id, theirs in acts.items()
        }
        return {
            person_id: Basis(
                statements=tuple(act.statement_id for act in theirs if act.statement_id),
                things=tuple(act.event for act in theirs),
            )
            for person_id, theirs in found.items()
            if theirs
        }

    def first_to_fall_out(self, acts: Sequence[ColumnElement[bool]]) -> ColumnElement[Any]:
        """Select the day of what is lost first when time goes on: of each thing, its latest day."""
        if self.column is None:
            return select(func.min(Usage.day)).where(*acts).scalar_subquery()
        thing = getattr(Usage, self.column)
        latest = (
            select(func.max(Usage.day).label("day"))
            .where(*acts, thing.is_not(None))
            .group_by(thing)
            .subquery()
        )
        return select(func.min(latest.c.day)).scalar_subquery()

    def _value(self) -> ColumnElement[int]:
        if self.column is None:
            return func.sum(Usage.count)
        return func.count(distinct(getattr(Usage, self.column)))


_able: BindParameter[Any] = bindparam("able", expanding=True)
_TOLD = select(exists().where(Connector.told_client.is_(True), Connector.kind.in_(_able)))
_BEFORE_ALL = dt.datetime(1, 1, 2, tzinfo=dt.UTC)
_AFTER_ALL = dt.datetime(9999, 12, 30, tzinfo=dt.UTC)


@lru_cache(maxsize=256)
def _of_one(measure: UsageMeasure, where: Filter, days: int | None) -> Select[tuple[int, int, int]]:
    """Select one row for one person: the best value, the one that runs now, the day it shrinks.

    Built once for each question: the person and the moments are bound when it is asked.
    """
    person = Usage.person_id == bindparam("person", type_=Integer)
    since, running, until = (
        bindparam(name, type_=UtcDateTime()) for name in ("since", "running", "until")
    )
    ever = [person, *_conditions(where, since, until)]
    now = [person, *_conditions(where, running, until)]
    have = func.coalesce(select(measure._value()).where(*now).scalar_subquery(), 0)
    if days is None:
        return select(have.label("best"), have.label("have"), null().label("first"))
    stretch = best_stretch(measure.column, ever, days).subquery()
    best = func.coalesce(select(func.max(stretch.c.value)).scalar_subquery(), 0)
    return select(
        best.label("best"), have.label("have"), measure.first_to_fall_out(now).label("first")
    )


def _conditions(where: Filter, since: Moment, until: Moment) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Usage.person_id.is_not(None)]
    if where.people is not None:
        found.append(Usage.person_id.in_(where.people))
    if since is not None:
        found.append(Usage.occurred_at >= since)
    if until is not None:
        found.append(Usage.occurred_at < until)
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
