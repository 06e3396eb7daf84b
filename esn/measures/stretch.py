"""The best of any n consecutive days, for everybody, in one pass over the ledger.

A value seen on day d counts for every stretch that ends on d, d+1, ..., d+n-1. So it opens a span
on its day and closes it n days later; a value that is to be counted once (a person answered) closes
earlier, on the day on which the same value is seen again. The running sum of what opens and closes
is the value of the stretch that ends that day, and its maximum is the answer: n log n, where
comparing every day with every act before it is quadratic.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    case,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)

from esn.models import Usage

PERSON: Any = type_coerce(Usage.person_id, Integer).label("person_id")


def best_stretch(
    column: str | None, conditions: list[ColumnElement[bool]], days: int
) -> Select[tuple[int, int]]:
    """Return (person_id, value): the most acts, or different values of `column`, in `days` days."""
    spans = _acts(conditions, days) if column is None else _values(column, conditions, days)
    opened = spans.cte()
    deltas = union_all(
        select(opened.c.person_id, opened.c.opens.label("day"), opened.c.weight.label("delta")),
        select(opened.c.person_id, opened.c.closes, -opened.c.weight),
    ).subquery()
    running = (
        select(
            deltas.c.person_id,
            func.sum(func.sum(deltas.c.delta))
            .over(partition_by=deltas.c.person_id, order_by=deltas.c.day)
            .label("value"),
        )
        .group_by(deltas.c.person_id, deltas.c.day)
        .subquery()
    )
    return select(
        running.c.person_id, type_coerce(func.max(running.c.value), Integer).label("value")
    ).group_by(running.c.person_id)


def _acts(conditions: list[ColumnElement[bool]], days: int) -> Select[Any]:
    """A span for each day, as heavy as the acts of that day are many."""
    return (
        select(
            PERSON,
            Usage.day.label("opens"),
            (Usage.day + days).label("closes"),
            func.sum(Usage.count).label("weight"),
        )
        .where(*conditions)
        .group_by(Usage.person_id, Usage.day)
    )


def _values(column: str, conditions: list[ColumnElement[bool]], days: int) -> Select[Any]:
    """A span for each value on each day, cut short where the value is seen again."""
    value: Any = getattr(Usage, column)
    seen = (
        select(PERSON, Usage.day.label("day"), value.label("value"))
        .where(*conditions, value.is_not(None))
        .distinct()
        .subquery()
    )
    again = func.lead(seen.c.day).over(
        partition_by=(seen.c.person_id, seen.c.value), order_by=seen.c.day
    )
    closes = case((again < seen.c.day + days, again), else_=seen.c.day + days)
    return select(
        seen.c.person_id,
        seen.c.day.label("opens"),
        closes.label("closes"),
        literal(1).label("weight"),
    )
