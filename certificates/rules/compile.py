"""From rule to one query: every condition of every person asked about, at once.

Each condition is a measure's select, joined on the person; a measure whose plugin is off gives
nobody anything. The number of queries does not depend on the number of people.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    Subquery,
    and_,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from certificates.rules.model import Condition, Need, Rule
from lms.db import db
from lms.evidence import Source, find_measure
from lms.people.models import Person


@dataclass(frozen=True, slots=True)
class Standing:
    """How one person stands: `values` and `met` by condition id, `holds`: the whole rule."""

    person_id: int
    holds: bool
    values: dict[str, int]
    met: dict[str, bool]
    asked: dict[str, bool]


def unavailable(rule: Rule) -> list[Condition]:
    """Return the conditions that nothing here can measure, since their plugin is off."""
    return [one for one in rule.conditions if find_measure(one.measure) is None]


def compile_rule(rule: Rule, people: Select[tuple[int]] | Iterable[int]) -> Select[Any]:
    """Return a select of (person_id, holds, then value, met, asked for each condition).

    people: a select of person ids, or the ids. One row for each person, met or not.
    """
    wanted = people if isinstance(people, Select) else list(people)
    columns: list[ColumnElement[Any]] = []
    all_met: list[ColumnElement[bool]] = []
    any_met: list[ColumnElement[bool]] = []
    joins: list[Subquery] = []
    for number, condition in enumerate(rule.conditions):
        found = _values(condition, wanted, number)
        if found is None:
            value: ColumnElement[int] = literal(0, Integer)
            met: ColumnElement[bool] = literal(0, Integer) == 1
            asked: ColumnElement[bool] = true()
        else:
            joins.append(found)
            value = func.coalesce(found.c.value, 0)
            met = value >= condition.at_least
            asked = _is_asked(condition)
        columns += [
            value.label(f"value_{number}"),
            met.label(f"met_{number}"),
            asked.label(f"asked_{number}"),
        ]
        all_met.append(or_(met, not_(asked)) if condition.only_if_reported else met)
        any_met.append(and_(met, asked) if condition.only_if_reported else met)
    holds = and_(*all_met) if rule.need is Need.ALL else or_(*any_met)
    built = select(Person.id.label("person_id"), holds.label("holds"), *columns)
    for found in joins:
        built = built.outerjoin(found, found.c.person_id == Person.id)
    return built.where(Person.id.in_(wanted))


def standings(rule: Rule, people: Select[tuple[int]] | Iterable[int]) -> list[Standing]:
    """Run the query of `compile_rule` and return how each person stands, by person id."""
    rows = db.session.execute(compile_rule(rule, people).order_by(Person.id))
    return [_standing(rule, row) for row in rows]


def holders(rule: Rule, people: Iterable[int]) -> list[Standing]:
    """Return only those who meet the rule.

    Completions are looked up first: they are cheap, and most people who have not finished the path
    need no count of what they did. Two queries, however many people.
    """
    wanted = list(people)
    first = tuple(one for one in rule.conditions if _is_record(one))
    if rule.need is Need.ALL and first and len(first) < len(rule.conditions) and wanted:
        narrowed = standings(dataclasses.replace(rule, conditions=first), wanted)
        wanted = [row.person_id for row in narrowed if row.holds]
    return [row for row in standings(rule, wanted) if row.holds] if wanted else []


def _is_record(condition: Condition) -> bool:
    measure = find_measure(condition.measure)
    return measure is not None and measure.sources == frozenset({Source.RECORD})


def _standing(rule: Rule, row: Row[Any]) -> Standing:
    cells = row[2:]
    ids = [condition.id for condition in rule.conditions]
    return Standing(
        person_id=row.person_id,
        holds=bool(row.holds),
        values={one: int(cells[3 * n]) for n, one in enumerate(ids)},
        met={one: bool(cells[3 * n + 1]) for n, one in enumerate(ids)},
        asked={one: bool(cells[3 * n + 2]) for n, one in enumerate(ids)},
    )


def _values(
    condition: Condition, wanted: Select[tuple[int]] | list[int], number: int
) -> Subquery | None:
    """The measure's select, narrowed to the people asked about before anything is counted."""
    measure = find_measure(condition.measure)
    if measure is None:
        return None
    hint = wanted if isinstance(wanted, Select) else tuple(wanted)
    values = measure.values(condition.window, dataclasses.replace(condition.where, people=hint))
    person_column, value_column = list(values.selected_columns)[:2]
    narrowed = values.where(person_column.in_(wanted)).with_only_columns(
        person_column.label("person_id"), value_column.label("value"), maintain_column_froms=True
    )
    return narrowed.subquery(f"condition_{number}")


def _is_asked(condition: Condition) -> ColumnElement[bool]:
    """A condition on the client is asked once any network has said of anyone which they used."""
    if not condition.only_if_reported:
        return true()
    measure = find_measure(condition.measure)
    if measure is None:
        return true()
    # Any act of anybody, ever: not only the acts that this condition counts.
    seen = [
        exists(
            measure.values(
                dataclasses.replace(condition.window, within_days=None),
                dataclasses.replace(condition.where, client=client, verb=None, group_kind=None),
            ).subquery()
        )
        for client in ("mobile", "desktop")
    ]
    return or_(*seen)
