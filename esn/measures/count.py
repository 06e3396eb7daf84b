"""The four measures of real use: acts, people answered, days, groups.

Each is one select over the ledger for all people. With `within_days` the value is the best of any
stretch of n days: every day on which a person was active is tried as the stretch's last day.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    distinct,
    func,
    or_,
    select,
    type_coerce,
)

from esn.measures.words import with_day as words
from esn.models import Usage
from lms import clock
from lms.db import db
from lms.evidence import Filter, Gap, Source, Window

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
                select(_person, self._value(Usage).label("value"))
                .where(*_conditions(window, where))
                .group_by(Usage.person_id)
            )
        acts = select(*_ACT_COLUMNS).where(*_conditions(window, where)).subquery("acts")
        last = select(acts.c.person_id, acts.c.day).distinct().subquery("last_days")
        stretch = and_(
            acts.c.person_id == last.c.person_id,
            acts.c.day > last.c.day - window.within_days,
            acts.c.day <= last.c.day,
        )
        each = (
            select(last.c.person_id, self._value(acts.c).label("value"))
            .join(acts, stretch)
            .group_by(last.c.person_id, last.c.day)
            .subquery("stretches")
        )
        return select(each.c.person_id, func.max(each.c.value).label("value")).group_by(
            each.c.person_id
        )

    def missing(self, person_id: int, window: Window, where: Filter, need: int) -> Gap:
        """Say what one person lacks: in the stretch that runs now, unless an earlier one sufficed."""
        where = dataclasses.replace(where, people=(person_id,))
        best = self._of_one(person_id, window, where)
        url: str | None = current_app.config["LMS_NETWORK_URL"] or None
        if best >= need or window.within_days is None:
            return Gap(
                best,
                need,
                words(self.lacking(need - best, where.verb), None) if best < need else "",
                url,
            )
        today = clock.day_number(window.until or clock.now())
        opens = today - window.within_days + 1
        since = dt.datetime.combine(clock.EPOCH + dt.timedelta(days=opens), dt.time(), dt.UTC)
        if window.since is not None:
            since = max(since, window.since)
        running = Window(since, window.until)
        have = self._of_one(person_id, running, where)
        first = db.session.scalar(
            select(func.min(Usage.day)).where(
                Usage.person_id == person_id, *_conditions(running, where)
            )
        )
        by = None
        if first is not None:
            by = clock.EPOCH + dt.timedelta(days=first + window.within_days - 1)
        return Gap(have, need, words(self.lacking(need - have, where.verb), by), url, by)

    def _of_one(self, person_id: int, window: Window, where: Filter) -> int:
        found = self.values(window, where).subquery()
        return int(
            db.session.scalar(select(found.c.value).where(found.c.person_id == person_id)) or 0
        )

    def _value(self, table: Any) -> ColumnElement[int]:
        if self.column is None:
            return func.sum(table.count) if table is Usage else func.sum(table["count"])
        column = getattr(table, self.column) if table is Usage else table[self.column]
        return func.count(distinct(column))


# Acts of nobody known are left out by _conditions.
_person = type_coerce(Usage.person_id, Integer).label("person_id")
_ACT_COLUMNS = (
    _person,
    Usage.day,
    Usage.count,
    Usage.recipient_id,
    Usage.group_key,
)


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
