"""Small measures over a table of plain facts, in the place of those that courses and esn bring.

Each fact is one act or one completion. They stand in the app under the slugs that rules use, so
that the tests of this package depend on no sibling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    distinct,
    func,
    insert,
    select,
)

from lms.db import db
from lms.events import EvidenceChanged, publish
from lms.evidence import Filter, Gap, Source, Window
from lms.people.models import Person

facts = Table(
    "test_facts",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("person_id", Integer, nullable=False),
    Column("verb", String(40), nullable=False),
    Column("target", String(80), nullable=False, default=""),
    Column("recipient", Integer),
    Column("day", Integer, nullable=False, default=0),
    Column("room", String(40), nullable=False, default=""),
    Column("client", String(20), nullable=False, default="unknown"),
)


class FactMeasure:
    """A measure that counts something over the facts; windows in days are best-of, as promised."""

    unit = ""

    def __init__(self, slug: str, counted: Callable[[Any], Any], words: str) -> None:
        self.slug = slug
        self.label = slug
        self.sources = frozenset({Source.RECORD if slug.startswith("courses.") else Source.EVENT})
        self.counted = counted
        self.words = words

    def values(self, window: Window, where: Filter) -> Select[tuple[int, int]]:
        act, first = facts.alias(), facts.alias()
        narrowed = []
        for row in (act, first):
            narrowed += [row.c.target == where.target] if where.target else []
            narrowed += [row.c.verb == where.verb] if where.verb else []
            narrowed += [row.c.client == where.client] if where.client else []
            narrowed += [row.c.verb != "completed"] if not where.target else []
        if window.within_days is None:
            return (
                select(act.c.person_id, self.counted(act))
                .where(*narrowed[: len(narrowed) // 2])
                .group_by(act.c.person_id)
            )
        # From each act on, n days: the best of them.
        runs = (
            select(first.c.person_id, self.counted(act).label("value"))
            .join(
                act,
                (act.c.person_id == first.c.person_id)
                & (act.c.day >= first.c.day)
                & (act.c.day < first.c.day + window.within_days),
            )
            .where(*narrowed)
            .group_by(first.c.person_id, first.c.id)
            .subquery()
        )
        return select(runs.c.person_id, func.max(runs.c.value)).group_by(runs.c.person_id)

    def reports(self, where: Filter) -> bool:
        told = select(facts.c.id).where(facts.c.client != "unknown").limit(1)
        return where.client is None or db.session.scalar(told) is not None

    def missing(self, person_id: int, window: Window, where: Filter, need: int) -> Gap:
        values = self.values(window, where)
        row = db.session.execute(values.where(values.selected_columns[0] == person_id)).first()
        have = int(row[1]) if row else 0
        text = self.words if have < need else "Done."
        return Gap(have=have, need=need, text=text, url="https://network.example/")


def install(app: Flask) -> None:
    """Create the table and put the measures where the real ones stand."""
    facts.create(db.engine, checkfirst=True)
    for measure in (
        FactMeasure("courses.completed", lambda act: func.count(act.c.id), "One course to go."),
        FactMeasure("esn.acts", lambda act: func.count(act.c.id), "One more act."),
        FactMeasure(
            "esn.recipients", lambda act: func.count(distinct(act.c.recipient)), "One more person."
        ),
        FactMeasure("esn.days", lambda act: func.count(distinct(act.c.day)), "One more day."),
        FactMeasure("esn.groups", lambda act: func.count(distinct(act.c.room)), "One more group."),
    ):
        app.extensions["lms.evidence"][measure.slug] = measure


def note(person: Person, verb: str, **columns: Any) -> None:
    """Note that a person did something, and publish that their evidence changed; commit."""
    db.session.execute(insert(facts).values(person_id=person.id, verb=verb, **columns))
    publish(EvidenceChanged(frozenset({person.id})))
    db.session.commit()


def complete(person: Person, target: str = "path/first-30-days") -> None:
    """Note that a person completed a course or a path."""
    note(person, "completed", target=target)


def answer(person: Person, recipient: int, day: int = 20_000, **columns: Any) -> None:
    """Note that a person answered somebody."""
    note(person, "replied", recipient=recipient, day=day, **columns)


def earn_connected(person: Person) -> None:
    """Note all that Connected Colleague asks for."""
    complete(person)
    for recipient in (901, 902, 903):
        answer(person, recipient, day=20_000 + recipient % 2)
    note(person, "joined", room="field-notes", day=20_003)
