"""Columns of the manager's page for tests: a table of our own, one indexed row for a cell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from flask import Flask
from sqlalchemy import Column, Integer, MetaData, Select, String, Table, insert, select

from lms.db import UtcDateTime, db
from lms.events import EvidenceChanged, publish
from lms.people.models import Person
from lms.plugin import CellState, Plugin
from lms.teams.standing import build

CELLS = Table(
    "fake_cell",
    MetaData(),
    Column("slug", String(80), primary_key=True),
    Column("person_id", Integer, primary_key=True),
    Column("state", String(16)),
    Column("number", Integer),
    Column("due_at", UtcDateTime),
)


class FakeColumn:
    """A column over `fake_cell`."""

    def __init__(
        self, slug: str, label: str, total: int | None = None, detail: bool = False
    ) -> None:
        self.slug, self.label, self.total, self.detail = slug, label, total, detail

    def cells(self, people: Select[tuple[int]]) -> Select[Any]:
        return select(CELLS.c.person_id, CELLS.c.state, CELLS.c.number, CELLS.c.due_at).where(
            CELLS.c.slug == self.slug, CELLS.c.person_id.in_(people)
        )


def add_columns(app: Flask, *columns: FakeColumn) -> None:
    """Give the app these columns and no others."""
    CELLS.create(db.engine, checkfirst=True)
    app.extensions["lms.parts"] = [
        *(part for part in app.extensions["lms.parts"] if part.team_columns is None),
        Plugin(name="fake", label="fake", team_columns=lambda: columns),
    ]
    db.session.commit()
    build()  # as a worker does that finds other columns than before


def set_cell(
    column: FakeColumn,
    person: Person,
    state: CellState,
    number: int | None = None,
    due_at: dt.datetime | None = None,
) -> None:
    """Say and commit what a column says of a person."""
    set_cells([(column.slug, person.id, state, number, due_at)])


def set_cells(rows: Iterable[tuple[str, int, CellState, int | None, dt.datetime | None]]) -> None:
    """Say and commit many cells: slug, person id, state, number, due."""
    names = ("slug", "person_id", "state", "number", "due_at")
    values = [dict(zip(names, row, strict=True)) for row in rows]
    db.session.execute(insert(CELLS), values)
    publish(EvidenceChanged(frozenset(row["person_id"] for row in values)))  # type: ignore[arg-type]
    db.session.commit()
