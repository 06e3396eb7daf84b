"""Evidence: what is known of people, as measures over sets of people.

`courses` and `esn` bring measures; `certificates`, missions and pages read them here, without
knowing who brought them. A measure answers for *all* people in one `Select`; it is never called
once for each person. Rules compile to one query over such selects.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from flask import Flask, current_app
from sqlalchemy import BindParameter, Select, bindparam

from lms import clock
from lms.db import UtcDateTime
from lms.errors import Invalid

# The present moment inside a select that is kept: asked of the clock whenever the select is run.
NOW: BindParameter[dt.datetime] = bindparam("lms_now", callable_=clock.now, type_=UtcDateTime())


class Source(StrEnum):
    """How a value came to be known; a rule says which it accepts."""

    EVENT = "event"  # one signed, deduplicated act
    AGGREGATE = "aggregate"  # a network's own daily count
    ATTESTED = "attested"  # a person with the right to do so confirmed it
    RECORD = "record"  # the suite's own record: a course completed


@dataclass(frozen=True, slots=True)
class Window:
    """The time a measure looks at: `since` <= moment < `until`, both aware UTC or None (open).

    With `within_days` n, the value is the best that any n consecutive UTC days inside the window
    give: "three people within 14 days" holds whenever the 14 days were, so that evaluating late
    changes nothing.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    within_days: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """What counts, in a closed vocabulary; a field that is None does not narrow.

    target: what was completed, `course/<slug>` or `path/<slug>`.
    verb: the act (`posted`, `replied`, `reacted`, `joined`, `mentioned`, ..., see esn.vocabulary).
    group_kind: `work`, `social`, `leaders`, ...; client: `mobile` or `desktop`.
    others_only: acts that answer the person's own content do not count.
    sources: which kinds of evidence are accepted; empty means all that the measure has.
    people: ids (a tuple, or a select of them) of those who are asked about; None: everybody. It
    makes a query cheap and changes no value: whoever asks narrows the rows as well, so that a
    measure that disregards it is right, only slower.
    """

    target: str | None = None
    verb: str | None = None
    group_kind: str | None = None
    client: str | None = None
    others_only: bool = True
    sources: frozenset[Source] = field(default_factory=frozenset)
    people: tuple[int, ...] | Select[tuple[int]] | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """What a person still lacks: `have` of `need`, in words, with a link where it can be done.

    `text` is a whole, kind sentence ("One more person, by 28 November"); `url` may lead outside.
    `by` is the day on which what is already there begins to fall out of the window, if it does.
    """

    have: int
    need: int
    text: str
    url: str | None = None
    by: dt.date | None = None

    @property
    def met(self) -> bool:
        """Whether nothing is lacking."""
        return self.have >= self.need


@dataclass(frozen=True, slots=True)
class Basis:
    """What a value rests on: as little as suffices, and nothing that tells what it was.

    statements: ids of the xAPI statements that tell of it. things: a stable opaque key of each
    thing counted, whether a statement tells of it or not.
    """

    statements: tuple[str, ...] = ()
    things: tuple[str, ...] = ()


@runtime_checkable
class Measure(Protocol):
    """One thing that can be known of people: "replies to different people", "course completed".

    slug: `<plugin>.<name>`, stable, used in rules. label, unit: translated, for people.
    A measure that is an `Accountable` as well can say what a value rests on.
    """

    @property
    def slug(self) -> str: ...

    @property
    def label(self) -> object: ...

    @property
    def unit(self) -> object: ...

    @property
    def sources(self) -> frozenset[Source]: ...

    def values(self, window: Window, where: Filter) -> Select[tuple[int, int]]:
        """Return a select of (person_id, value), people without a value left out, value an int.

        The select is built once and kept, for as long as nobody asks something else: it may depend
        on `window` and `where` alone. What changes is asked in SQL; the moment is `NOW`.
        """
        ...

    def missing(self, person_id: int, window: Window, where: Filter, need: int) -> Gap:
        """Return what one person lacks, for that person's own page."""
        ...


@runtime_checkable
class Accountable(Protocol):
    """A measure that can say what brought somebody's value to `need`: frozen in certificates."""

    def bases(
        self, people: Collection[int], window: Window, where: Filter, need: int
    ) -> Mapping[int, Basis]:
        """Return for each of these people the least that brings `need`, the earliest of it.

        Who does not reach it is left out. One query, however many people.
        """
        ...


@runtime_checkable
class Reporting(Protocol):
    """A measure that knows what cannot be known here: a network that tells no devices."""

    def reports(self, where: Filter) -> bool:
        """Whether anything here tells apart what `where` narrows to; asked often, never a count."""
        ...


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that somebody is working on: what `measure` counts counts toward it.

    people: a select of the ids of those who work on it; None: everybody may. Whoever gives acts
    (a network) asks for these, so as to keep no more of them than is needed. It is asked often:
    the same object each time is cheapest.
    """

    measure: str
    where: Filter
    window: Window = Window()
    people: Select[tuple[int]] | None = None


# Brought by a plugin (`Plugin.conditions`): what is being worked on at this moment.
Conditions = Callable[[], Sequence[Condition]]


def init_app(
    app: Flask, measures: Iterable[Measure], conditions: Iterable[Conditions] = ()
) -> None:
    """Register the measures of the enabled plugins by slug, and who knows the conditions in force."""
    app.extensions["lms.evidence.conditions"] = tuple(conditions)
    table: dict[str, Measure] = {}
    for measure in measures:
        if measure.slug in table:
            raise ValueError(f"two plugins bring a measure named {measure.slug}")
        table[measure.slug] = measure
    app.extensions["lms.evidence"] = table


def measures() -> dict[str, Measure]:
    """Return every measure of the enabled plugins, by slug."""
    table: dict[str, Measure] = current_app.extensions["lms.evidence"]
    return table


def conditions_in_force() -> list[Condition]:
    """Return every condition that somebody may be working on now, of every enabled plugin."""
    known: tuple[Conditions, ...] = current_app.extensions["lms.evidence.conditions"]
    return [condition for ask in known for condition in ask()]


def find_measure(slug: str) -> Measure | None:
    """Return the measure, or None where the plugin that brings it is off."""
    return measures().get(slug)


def get_measure(slug: str) -> Measure:
    """Return the measure; raises Invalid, naming it, where no enabled plugin brings it."""
    measure = find_measure(slug)
    if measure is None:
        raise Invalid(
            "Nothing here measures “%(slug)s”. Known: %(known)s.",
            slug=slug,
            known=", ".join(sorted(measures())),
        )
    return measure


def bases_of(
    slug: str, people: Collection[int], window: Window, where: Filter, need: int
) -> Mapping[int, Basis]:
    """Return what the value of each of these people rests on; empty where the measure cannot say."""
    measure: object = find_measure(slug)
    if people and isinstance(measure, Accountable):
        return measure.bases(people, window, where, need)
    return {}


def is_reported(slug: str, where: Filter) -> bool:
    """Whether what a filter narrows to is told by anything here; true where the measure says nothing."""
    measure: object = find_measure(slug)
    return measure.reports(where) if isinstance(measure, Reporting) else True
