"""Where somebody stands is kept: whatever happens, in whatever order, it is what counting gives."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update

from certificates.awards import give, revoke
from certificates.catalogue import find_definition, offered, publish, set_retired
from certificates.models import Award, Origin
from certificates.rules.compile import Standing as Met
from courses.paths.cycles import begin, begin_next
from courses.paths.enrolment import enrol, enrol_by_rule, find_enrolments
from courses.progress.walk import take
from lms import clock
from lms.db import db, transaction
from lms.jobs.queue import run_pending
from lms.people import erasing, services
from lms.people.models import Person
from lms.plugin import CellState
from lms.teams import rules, standing
from lms.teams.cells import ask_cells, kept_cells
from lms.teams.columns import all_columns, table_columns
from lms.teams.models import Column, Standing, Summary
from lms.teams.query import Scope
from lms.teams.selection import Asked, overview
from lms.teams.services import count_people
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_person, make_unit
from tests.queries import counted

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
RULE = """\
slug: {slug}
title: {slug}
summary: Uses the network.
order: 1
{to}requires:
  all:
    - id: path
      completed: path/first
      title: Finish the path
      proved: Finished the path
"""


def kept() -> tuple[set[Any], set[Any]]:
    """Everything that is kept: rows and summaries."""
    db.session.commit()
    rows = db.session.execute(
        select(
            Standing.person_id, Column.slug, Standing.rank, Standing.number, Standing.due_at
        ).join(Column, Column.id == Standing.column_id)
    )
    sums = db.session.execute(
        select(Summary.person_id, Summary.rank, Summary.due_at, Summary.achieved, Summary.held)
    )
    found = {tuple(row) for row in rows}, {tuple(row) for row in sums}
    db.session.commit()
    return found


def built_anew() -> tuple[set[Any], set[Any]]:
    """What is there once all of it has been thrown away and built again."""
    with transaction() as session:
        for table in (Standing, Summary, Column):
            session.execute(delete(table))
    standing.build()
    return kept()


class Company:
    """Some people, paths and certificates, and all that can happen to them."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        boss = make_person("Greta Halden", is_administrator=True)
        self.people = [boss, *(make_person(manager=boss, job_role="driver") for _ in range(5))]
        self.courses = [make_course(f"c{n}") for n in range(3)]
        self.paths = [
            make_path(*self.courses[:2], slug="first", due_days=30),
            make_path(*self.courses[1:], slug="second", due_days=3,
                      audience={"job_roles": ["driver"]}),
        ]  # fmt: skip
        for slug, to in (("connected", ""), ("leading", "offered_to: {managers: true}\n")):
            publish(RULE.format(slug=slug, to=to), Origin.ADMINISTRATOR)
        db.session.commit()
        self.year = 2026
        run_pending()

    def person(self) -> Person:
        here = [one for one in self.people if one.identity is not None]
        return self.dice.choice(here)

    def enrol(self) -> None:
        enrol(self.dice.choice(self.paths), [one.id for one in self.people[:4]])

    def leave(self) -> None:
        services.move(self.person(), None, None, self.dice.choice(["driver", "planner"]))
        db.session.commit()
        enrol_by_rule()

    def report(self) -> None:
        below = self.people[2]
        services.move(below, self.dice.choice([None, self.people[1]]), None, below.job_role)

    def learn(self) -> None:
        course = self.dice.choice(self.courses)
        person = self.person()
        attempt = begin(person, course)
        take(person, course, self.dice.choice([1, None]), cycle=attempt.cycle)

    def repeat(self) -> None:
        person = self.person()
        for _enrolment, path in find_enrolments(person.id)[:1]:
            self.year += 1
            begin_next(person.id, path, str(self.year))

    def award(self) -> None:
        person, certificate = self.person(), self.dice.choice(offered())
        give(certificate, Met(person.id, True, {"path": 1}, {"path": True}, {"path": True}))

    def revoke(self) -> None:
        award = db.session.scalars(select(Award).where(Award.revoked_at.is_(None))).first()
        if award is not None:
            revoke(award, "It was a mistake.", None)

    def change_path(self) -> None:
        steps = self.dice.sample(self.courses, self.dice.choice([1, 2, 3]))
        make_path(*steps, slug="first", due_days=30)

    def offer(self) -> None:
        definition = find_definition("connected")
        assert definition is not None
        set_retired(definition, definition.retired_at is None)

    def suspend(self) -> None:
        one = self.people[3]
        services.set_active(one, not one.active, self.people[0])

    def erase(self) -> None:
        if self.people[4].identity is not None:
            erasing.erase(self.people[4], self.people[0])

    def act(self) -> str:
        acts: list[Callable[[], None]] = [
            self.enrol, self.leave, self.report, self.learn, self.learn, self.repeat, self.award,
            self.revoke, self.change_path, self.offer, self.suspend, self.erase,
        ]  # fmt: skip
        chosen = self.dice.choice(acts)
        chosen()
        db.session.commit()
        return chosen.__name__


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_what_is_kept_is_what_building_gives(app: Flask, seed: int) -> None:
    with clock.travel(NOW), app.test_request_context():
        company = Company(seed)
        done: list[str] = []
        for _round in range(4):
            done += [company.act() for _ in range(6)]
            run_pending()
            assert kept() == built_anew(), done
        assert len(kept()[0]) > 4
        # And that is what the columns themselves say, and the page counts, on any later day.
        for later in (0, 10, 40):
            with clock.travel(NOW + dt.timedelta(days=later)):
                _counted_is_judged()


def _counted_is_judged() -> None:
    columns = table_columns(all_columns())
    active = select(Person.id).where(Person.active)
    people = list(db.session.scalars(active))
    asked = ask_cells(active, columns)
    own = kept_cells(people)
    states: dict[int, list[CellState]] = {one: [] for one in people}
    for column, cells in zip(columns, asked, strict=True):
        for person_id in people:
            cell = cells.get(person_id)
            assert own.get(person_id, {}).get(column.slug) == cell
            states[person_id] += [cell.state] if cell else []
    expected = {one: rules.judge(of_one) for one, of_one in states.items()}
    counts = count_people(overview(Asked(Scope.EVERYONE, 0)).counted)
    assert sorted(counts.elements()) == sorted(expected.values())
    db.session.commit()


def test_building_writes_nothing_where_all_is_right(app: Flask) -> None:
    Company(1)
    with transaction() as session:
        session.execute(update(Column).values(reached=0))
    with counted() as queries:
        standing.build()
    written = [one for one in queries if not one.startswith(("SELECT", "UPDATE lms_team_column"))]
    assert written == []


def test_what_was_damaged_is_mended_within_a_day(app: Flask) -> None:
    with clock.travel(NOW):
        Company(1)
        right = kept()
        with transaction() as session:
            session.execute(text("UPDATE lms_team_standing SET rank = 7"))
            session.execute(text("UPDATE lms_team_summary SET rank = 2, achieved = 9"))
        standing.build()
        assert kept() != right
    with clock.travel(NOW + dt.timedelta(days=1, minutes=1)):
        standing.build()
    assert kept() == right


def test_a_build_that_is_killed_goes_on_where_it_was(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    Company(1)
    right = kept()
    with transaction() as session:
        session.execute(delete(Standing))
        session.execute(delete(Summary))
        session.execute(update(Column).values(reached=0))
    monkeypatch.setattr(standing, "STEP", 2)
    assert standing._build_some()
    reached = set(db.session.scalars(select(Column.reached)))
    assert len(reached) == 1
    assert reached != {0}
    db.session.rollback()
    standing.build()  # another process
    assert kept() == right


def test_a_change_of_very_many_is_left_to_the_job(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_path(make_course("one"), slug="first", audience={"job_roles": ["nobody"]})
    run_pending()
    people = [make_person() for _ in range(4)]
    monkeypatch.setattr(standing, "MOST_AT_ONCE", 3)
    enrol(path, [one.id for one in people])
    assert kept()[0] == set()
    assert standing.JOB in run_pending()
    assert {row[0] for row in kept()[0]} == {one.id for one in people}


def test_of_whom_is_removed_nothing_is_kept(app: Flask) -> None:
    company = Company(1)
    gone = company.people[1]
    assert kept_cells([gone.id])
    db.session.commit()
    erasing.erase(gone, company.people[0])
    db.session.commit()
    assert gone.id not in {row[0] for rows in kept() for row in rows}
    standing.build()
    assert gone.id not in {row[0] for rows in kept() for row in rows}


def test_a_learner_who_answers_pays_nothing_for_it(app: Flask) -> None:
    person, course = make_person(), make_course("one")
    enrol(make_path(course, slug="first"), [person.id])
    run_pending()
    take(person, course, 1)
    with counted() as queries:
        take(person, course, 2)
    assert not [one for one in queries if "lms_team" in one]


def test_who_was_asked_nothing_is_in_no_total(app: Flask) -> None:
    """After a large import, with certificates offered to all: nobody is done."""
    make_unit("Operations")
    administrator = make_person(is_administrator=True)
    people = [make_person() for _ in range(5)]
    publish(RULE.format(slug="connected", to=""), Origin.ADMINISTRATOR)
    db.session.commit()
    run_pending()
    assert kept_cells([administrator.id])[administrator.id]["certificates.connected"].state == (
        CellState.NOT_MET
    )
    assert count_people(overview(Asked(Scope.EVERYONE, 0)).counted) == {CellState.NONE: 6}
    course = make_course("one")
    enrol(make_path(course, slug="first"), [one.id for one in people[:2]])
    take(people[0], course)
    counts = count_people(overview(Asked(Scope.EVERYONE, 0)).counted)
    assert counts == {CellState.NONE: 4, CellState.DONE: 1, CellState.NOT_STARTED: 1}
