"""A team as in the pictures of the look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from lms import clock
from lms.people.models import Person
from lms.plugin import CellState
from tests.factories.people import make_person
from tests.factories.teams import FakeColumn, add_columns, set_cell

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


def days(number: int) -> dt.datetime:
    return NOW + dt.timedelta(days=number)


@dataclass
class Team:
    """A manager, four reports, one person below a report, and somebody elsewhere."""

    manager: Person
    tomasz: Person
    leila: Person
    imani: Person
    jonas: Person
    below: Person
    stranger: Person
    path: FakeColumn
    privacy: FakeColumn
    certificate: FakeColumn
    condition: FakeColumn


@pytest.fixture
def team(app: Flask) -> Iterator[Team]:
    path = FakeColumn("courses.first-30-days", "First 30 days", total=9)
    privacy = FakeColumn("courses.privacy", "Privacy on the network")
    certificate = FakeColumn("certificates.connected", "Certificate")
    condition = FakeColumn("certificates.connected.replies", "Answer colleagues", detail=True)
    add_columns(app, path, privacy, certificate, condition)
    boss = make_person("Greta Halden", is_manager=True)
    tomasz = make_person("Tomasz Wrona", boss)
    leila = make_person("Leila Haddad", boss)
    imani = make_person("Imani Okafor", boss)
    jonas = make_person("Jonas Brandt", boss)
    below = make_person("Aiko Mori", jonas)
    made = Team(
        boss, tomasz, leila, imani, jonas, below, make_person("Otto Fremd"),
        path, privacy, certificate, condition,
    )  # fmt: skip
    set_cell(path, tomasz, CellState.OVERDUE, 2, days(-4))
    set_cell(privacy, tomasz, CellState.NOT_STARTED, None, days(20))
    set_cell(certificate, tomasz, CellState.NOT_MET)
    set_cell(path, leila, CellState.DONE)
    set_cell(privacy, leila, CellState.OVERDUE, None, days(-1))
    set_cell(path, imani, CellState.ON_TRACK, 4, days(12))
    set_cell(certificate, imani, CellState.NOT_MET)
    set_cell(condition, imani, CellState.NOT_MET, 2)
    set_cell(path, jonas, CellState.DONE)
    set_cell(privacy, jonas, CellState.DONE)
    set_cell(certificate, jonas, CellState.MET)
    set_cell(path, below, CellState.DUE, 8, days(1))
    with clock.travel(NOW):
        yield made
