"""The same path again, next year: what was done stays, and does not count for what is asked now."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from courses.catalogue.models import Course
from courses.paths.columns import team_columns
from courses.paths.cycles import begin, begin_next, present_cycle
from courses.paths.enrolment import enrol, enrol_by_rule, find_enrolments
from courses.paths.models import Enrolment, Path
from courses.paths.progress import path_standings, standings
from courses.player.next_step import next_for
from courses.progress.models import Attempt, Completion
from courses.progress.walk import take
from lms import clock
from lms.db import db
from lms.errors import Invalid, NotFound
from lms.evidence import Filter, Window, bases_of, get_measure
from lms.jobs.queue import run_pending
from lms.notices.models import Notice
from lms.people.models import Person
from lms.plugin import CellState
from lms.teams.cells import ask_cells
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_person

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
NEXT = NOW + dt.timedelta(days=365)


def again(person: Person, *courses: Course) -> None:
    """Take courses in the person's present cycle."""
    for course in courses:
        take(person, course, cycle=present_cycle(person.id, course.id))


@pytest.fixture
def done(app: Flask) -> tuple[Person, Path, Course, Course]:
    """Somebody who has finished a path of two courses, and is asked to do it again in 2027."""
    person, one, two = make_person("Imani Okafor"), make_course("one"), make_course("two")
    path = make_path(one, two, slug="first", due_days=30)
    with clock.travel(NOW):
        enrol(path, [person.id])
        again(person, one, two)
    with clock.travel(NEXT):
        begin_next(person.id, path, "2027")
    db.session.commit()
    return person, path, one, two


def completions(person: Person) -> list[tuple[str, str]]:
    rows = db.session.execute(
        select(Completion.target, Completion.cycle)
        .where(Completion.person_id == person.id)
        .order_by(Completion.cycle, Completion.target)
    )
    return [(target, cycle) for target, cycle in rows]


def test_what_was_done_before_does_not_count_in_the_next_cycle(
    app: Flask, done: tuple[Person, Path, Course, Course]
) -> None:
    person, path, one, _two = done
    with clock.travel(NEXT), app.test_request_context():
        ((enrolment, _path),) = find_enrolments(person.id)
        assert (enrolment.cycle, enrolment.due_at) == (
            "2027",
            dt.datetime.combine((NEXT + dt.timedelta(days=30)).date(), dt.time(23, 59, 59), dt.UTC),
        )
        (way,) = path_standings(person.id, [path])
        assert (way.courses_done, way.completed_at) == (0, None)
        assert not standings(person.id, [one.id])[one.id].begun
        step = next_for(person.id)
        assert step is not None
        assert step.url == "/courses/one/"
        (cells,) = ask_cells(select(Person.id), team_columns()[:1])
        assert (cells[person.id].state, cells[person.id].number) == (CellState.NOT_STARTED, 0)


def test_a_path_is_completed_once_in_each_cycle(
    app: Flask, done: tuple[Person, Path, Course, Course]
) -> None:
    person, path, one, two = done
    with clock.travel(NEXT):
        again(person, one)
        (way,) = path_standings(person.id, [path])
        assert (way.courses_done, way.completed_at) == (1, None)
        again(person, two)
        again(person, one, two)  # nothing more to do
        (way,) = path_standings(person.id, [path])
    assert way.completed_at == NEXT
    assert completions(person) == [
        *[(target, "") for target in ("course/one", "course/two", "path/first")],
        *[(target, "2027") for target in ("course/one", "course/two", "path/first")],
    ]
    attempts = select(Attempt.number, Attempt.cycle).where(Attempt.course_id == one.id)
    assert db.session.execute(attempts.order_by(Attempt.number)).all() == [(1, ""), (2, "2027")]
    told = db.session.scalars(select(Completion.statement_id)).all()
    assert len(set(told)) == 6  # each has a statement of its own


def test_a_course_that_two_paths_share_is_done_for_both_in_the_later_cycle(
    app: Flask, done: tuple[Person, Path, Course, Course]
) -> None:
    person, path, one, two = done
    other = make_path(one, make_course("three"), slug="other")
    with clock.travel(NEXT):
        enrol(other, [person.id])
        first, second = path_standings(person.id, [path, other])
        # For the path that is asked for the first time last year's course counts.
        assert (first.courses_done, second.courses_done) == (0, 1)
        again(person, one, two)
        first, second = path_standings(person.id, [path, other])
        assert (first.courses_done, second.courses_done) == (2, 1)


def test_measures_count_a_course_once_and_by_the_window(
    app: Flask, done: tuple[Person, Path, Course, Course]
) -> None:
    person, _path, one, two = done
    with clock.travel(NEXT):
        again(person, one, two)
    measure = get_measure("courses.completed")
    late = Window(since=NEXT - dt.timedelta(days=1))
    for window, where, value in (
        (Window(), Filter(), 2),
        (Window(), Filter(target="path/first"), 1),
        (late, Filter(target="path/first"), 1),
        (Window(since=NEXT + dt.timedelta(days=1)), Filter(target="path/first"), None),
    ):
        rows = db.session.execute(measure.values(window, where)).all()
        assert rows == ([] if value is None else [(person.id, value)])
    basis = bases_of("courses.completed", [person.id], Window(), Filter(), 2)[person.id]
    assert basis.things == ("course/one", "course/two")


def test_nobody_has_two_open_cycles_of_one_path(
    app: Flask, done: tuple[Person, Path, Course, Course]
) -> None:
    person, path, _one, _two = done
    enrol(path, [person.id])  # who is enrolled stays as they are
    enrol_by_rule()
    db.session.commit()
    rows = db.session.execute(
        select(Enrolment.cycle, Enrolment.ended_at.is_(None)).order_by(Enrolment.cycle)
    )
    assert rows.all() == [("", False), ("2027", True)]
    with pytest.raises(IntegrityError):
        db.session.execute(text("UPDATE courses_enrolment SET ended_at = NULL"))
    db.session.rollback()


def test_who_left_in_the_second_cycle_comes_back_to_it(app: Flask) -> None:
    person, one = make_person(job_role="driver"), make_course("one")
    path = make_path(one, slug="first", audience={"job_roles": ["driver"]})
    run_pending()
    begin_next(person.id, path, "2027-04")
    for role in ("planner", "driver"):
        person.job_role = role
        db.session.commit()
        enrol_by_rule()
    ((enrolment, _path),) = find_enrolments(person.id)
    assert enrolment.cycle == "2027-04"


def test_each_cycle_is_told_of_once(app: Flask, done: tuple[Person, Path, Course, Course]) -> None:
    keys = db.session.scalars(select(Notice.key).order_by(Notice.id)).all()
    person, path, _one, _two = done
    assert keys == [
        f"courses.enrolled:{path.id}:{person.id}",
        f"courses.enrolled:{path.id}:{person.id}:2027",
    ]


@pytest.mark.parametrize("cycle", ["2027", "2026", "", "next", "2028-13", "2028-1", "28"])
def test_a_cycle_comes_after_the_present_one(
    app: Flask, done: tuple[Person, Path, Course, Course], cycle: str
) -> None:
    person, path, one, _two = done
    with app.test_request_context(), pytest.raises(Invalid):
        begin_next(person.id, path, cycle)
    with pytest.raises(NotFound):
        begin_next(make_person().id, path, "2028")
    assert begin(person, one).cycle == "2027"
