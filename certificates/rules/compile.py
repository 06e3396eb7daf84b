"""From rules to one query: every condition of every person asked about, at once.

Each condition is a measure's select; what is asked is built once for each set of conditions and
kept, the people being bound when it is run. What the values mean for a rule is decided here, in
plain Python. A measure whose plugin is off gives nobody anything. The number of queries depends
neither on the number of people nor on that of the rules.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    Subquery,
    bindparam,
    literal_column,
    select,
    union_all,
)

from certificates.rules.model import Condition, Need, Rule
from lms.db import db
from lms.evidence import Filter, Measure, Source, Window, find_measure, is_reported
from lms.people.models import Person


@dataclass(frozen=True, slots=True)
class Question:
    """What one condition asks. Two are the same where the very same measure is asked the same."""

    window: Window
    where: Filter
    measure_id: int
    measure: Measure = field(compare=False)


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


def standings(rule: Rule, people: Iterable[int]) -> list[Standing]:
    """Return how each of these people stands, by person id; some hundreds at most."""
    return standings_of([rule], people)[0]


def standings_of(rules: Sequence[Rule], people: Iterable[int]) -> list[list[Standing]]:
    """Return for each rule how each of these people stands, by person id: one query for all."""
    wanted = sorted(set(people))
    questions = [[_question(condition) for condition in rule.conditions] for rule in rules]
    values = _values([one for asked in questions for one in asked if one is not None], wanted)
    found = []
    for rule, theirs in zip(rules, questions, strict=True):
        by_condition = [values[one] if one is not None else {} for one in theirs]
        asked = [is_asked(condition) for condition in rule.conditions]
        found.append(
            [stand(rule, one, [of.get(one, 0) for of in by_condition], asked) for one in wanted]
        )
    return found


def stand(rule: Rule, person_id: int, values: Sequence[int], asked: Sequence[bool]) -> Standing:
    """Decide what values mean for a rule. A condition that is not asked stands in nobody's way."""
    met = [
        value >= condition.at_least and find_measure(condition.measure) is not None
        for condition, value in zip(rule.conditions, values, strict=True)
    ]
    if rule.need is Need.ALL:
        holds = all(one or not wanted for one, wanted in zip(met, asked, strict=True))
    else:
        holds = any(one and wanted for one, wanted in zip(met, asked, strict=True))
    ids = [condition.id for condition in rule.conditions]
    return Standing(
        person_id=person_id,
        holds=holds,
        values=dict(zip(ids, values, strict=True)),
        met=dict(zip(ids, met, strict=True)),
        asked=dict(zip(ids, asked, strict=True)),
    )


def is_asked(condition: Condition) -> bool:
    """Whether a condition is asked: one on the client only once a network says which is used."""
    return not condition.only_if_reported or is_reported(condition.measure, condition.where)


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


def condition_values(condition: Condition, people: Select[tuple[int]]) -> Subquery | None:
    """Return rows (person_id, value) of one condition for a select of people; None: nobody can say."""
    question = _question(condition)
    return None if question is None else _narrowed(question, people).subquery()


def _is_record(condition: Condition) -> bool:
    measure = find_measure(condition.measure)
    return measure is not None and measure.sources == frozenset({Source.RECORD})


def _question(condition: Condition) -> Question | None:
    measure = find_measure(condition.measure)
    if measure is None:
        return None
    return Question(condition.window, condition.where, id(measure), measure)


def _values(
    questions: Sequence[Question], people: Sequence[int]
) -> Mapping[Question, Mapping[int, int]]:
    """Ask all questions at once; return the values by question and person."""
    asked = tuple(dict.fromkeys(questions))
    found: dict[Question, dict[int, int]] = {one: {} for one in asked}
    if not asked or not people:
        return found
    db.session.flush()
    rows = db.session.connection().execute(_statement(asked), {"people": people})
    for place, person_id, value in rows:
        values = found[asked[place]]
        values[person_id] = max(values.get(person_id, 0), int(value))
    return found


@lru_cache(maxsize=256)
def _statement(questions: tuple[Question, ...]) -> CompoundSelect[Any]:
    """Build the select of (place in `questions`, person_id, value) for the `people` bound to it."""
    ids: BindParameter[Any] = bindparam("people", expanding=True)
    people = select(Person.id).where(Person.id.in_(ids)).cte("people")
    parts = []
    for place, question in enumerate(questions):
        values = _narrowed(question, select(people.c.id)).subquery()
        number: ColumnElement[int] = literal_column(str(place)).label("place")
        parts.append(select(number, values.c.person_id, values.c.value))
    return union_all(*parts)


def _narrowed(question: Question, people: Select[tuple[int]]) -> Select[Any]:
    """The measure's select, narrowed to the people asked about before anything is counted."""
    where = dataclasses.replace(question.where, people=people)
    values = question.measure.values(question.window, where)
    person_column, value_column = list(values.selected_columns)[:2]
    return values.where(person_column.in_(people)).with_only_columns(
        person_column.label("person_id"), value_column.label("value"), maintain_column_froms=True
    )
