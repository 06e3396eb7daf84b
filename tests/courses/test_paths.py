"""Paths: enrolment in sets, due dates, columns, the next step."""

from __future__ import annotations

import datetime as dt
from pathlib import Path as Folder

import pytest
from flask import Flask
from sqlalchemy import func, select

from courses.catalogue.models import Course, CourseVersion
from courses.catalogue.services import find_course, publish, save_draft
from courses.exchange.front import CourseTextError
from courses.exchange.library import load_library
from courses.exchange.path_text import parse_path
from courses.paths.columns import team_columns
from courses.paths.enrolment import enrol, enrol_by_rule, find_enrolments
from courses.paths.models import Enrolment, Path
from courses.paths.notices import NOTICE_KINDS, remind
from courses.paths.services import get_path
from courses.player.next_step import eyebrow, home_card, next_for
from courses.progress.walk import take
from lms import clock
from lms.db import db
from lms.events import PeopleChanged
from lms.events import publish as tell
from lms.jobs.queue import run_pending
from lms.notices.models import Notice
from lms.notices.words import mail_parts
from lms.objectives import find_objective
from lms.people.models import Person
from lms.plugin import TeamColumn
from lms.teams.cells import ask_cells
from tests.courses.test_course_text import files
from tests.factories.courses import make_course, make_document, make_path
from tests.factories.people import make_people, make_person, make_unit
from tests.queries import counted

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
TODAY = NOW.date()


def enrolled(path: Path) -> set[int]:
    """Return the ids of those enrolled now."""
    return set(
        db.session.scalars(
            select(Enrolment.person_id).where(
                Enrolment.path_id == path.id, Enrolment.ended_at.is_(None)
            )
        )
    )


def column(slug: str) -> TeamColumn:
    """Return the column of this name."""
    return next(one for one in team_columns() if one.slug == slug)


def cells(one: TeamColumn, people: list[Person]) -> dict[int, tuple[str, object, object]]:
    """Return a column's cells by person, as they are today."""
    ids = select(Person.id).where(Person.id.in_([person.id for person in people]))
    (found,) = ask_cells(ids, [one])
    return {key: (str(cell.state), cell.number, cell.due_at) for key, cell in found.items()}


def test_a_rule_enrols_by_role_unit_and_hire(app: Flask) -> None:
    operations = make_unit("Operations")
    depot = make_unit("Depot North", operations)
    sales = make_unit("Sales")
    fits = make_person(job_role="Driver", unit_id=depot.id, hired_on=TODAY)
    make_person(job_role="planner", unit_id=depot.id, hired_on=TODAY)  # another role
    make_person(job_role="driver", unit_id=sales.id, hired_on=TODAY)  # another unit
    make_person(job_role="driver", unit_id=depot.id, hired_on=TODAY - dt.timedelta(days=61))
    make_person(job_role="driver", unit_id=depot.id)  # nobody knows since when
    make_person(job_role="driver", unit_id=depot.id, hired_on=TODAY, active=False)
    soon = make_person(
        job_role="driver", unit_id=operations.id, hired_on=TODAY + dt.timedelta(days=9)
    )
    path = make_path(
        make_course(),
        audience={"job_roles": ["driver"], "units": ["operations"], "hired_within_days": 60},
    )
    everyone = make_path(make_course())
    with clock.travel(NOW):
        enrol_by_rule()
        enrol_by_rule()
    assert enrolled(path) == {fits.id, soon.id}
    assert len(enrolled(everyone)) == 6
    assert db.session.query(Enrolment).count() == 8


def test_who_moves_is_enrolled_and_who_leaves_a_role_unbegun_is_not_asked_any_more(
    app: Flask,
) -> None:
    path = make_path(make_course("lead"), audience={"job_roles": ["people manager"]})
    course = find_course("lead")
    assert course is not None
    one = make_person(job_role="people manager")
    begun = make_person(job_role="people manager")
    by_hand = make_person(job_role="driver")
    enrol(path, [by_hand.id])
    db.session.commit()
    run_pending()
    assert enrolled(path) == {one.id, begun.id, by_hand.id}
    take(begun, course, 1)
    one.job_role = begun.job_role = "driver"
    db.session.commit()
    tell(PeopleChanged(frozenset({one.id, begun.id})))
    db.session.commit()
    assert "courses.enrol" in run_pending()
    assert enrolled(path) == {begun.id, by_hand.id}
    one.job_role = "people manager"
    db.session.commit()
    enrol_by_rule()
    assert enrolled(path) == {one.id, begun.id, by_hand.id}


@pytest.mark.parametrize(
    ("due_from", "hired", "due"),
    [
        ("enrolment", -400, 30),
        ("enrolment", None, 30),
        ("enrolment", 10, 40),  # hired in ten days: the time runs from then
        ("hire", -5, 25),
        ("hire", -29, 7),  # nobody is given less than a week
        ("hire", -400, 7),
        ("hire", 10, 40),
        ("hire", None, 30),
    ],
)
def test_due_dates_follow_the_enrolment_or_the_hire(
    app: Flask, due_from: str, hired: int | None, due: int
) -> None:
    hired_on = None if hired is None else TODAY + dt.timedelta(days=hired)
    person = make_person(hired_on=hired_on)
    path = make_path(make_course(), due_days=30, due_from=due_from)
    with clock.travel(NOW):
        enrol(path, [person.id])
    ((enrolment, _path),) = find_enrolments(person.id)
    assert enrolment.due_at is not None
    assert enrolment.due_at.date() == TODAY + dt.timedelta(days=due)


def test_ten_thousand_people_are_enrolled_in_sets(app: Flask) -> None:
    path = make_path(make_course(), audience={"job_roles": ["driver"]})
    make_people(10_000, job_role="driver")
    with counted() as queries:
        enrol_by_rule()
    assert len(enrolled(path)) == 10_000
    statements = len(queries)
    # Twenty batches, notices a hundred at once; never one statement for a person.
    assert statements < 20 * 17 + 10_000 / 100
    with counted() as queries:
        enrol_by_rule()
    assert len(queries) < 8


def test_columns_say_where_everybody_stands_in_one_select(app: Flask) -> None:
    one, two = make_course("one"), make_course("two")
    path = make_path(one, two, slug="first", due_days=30)
    done, running, late, soon, idle, outside = (make_person() for _ in range(6))
    with clock.travel(NOW):
        enrol(path, [done.id, running.id, idle.id])
        for person in (done, running):
            take(person, one)
        take(done, two)
    with clock.travel(NOW - dt.timedelta(days=31)):
        enrol(path, [late.id])
        take(late, one, 3)
    with clock.travel(NOW - dt.timedelta(days=25)):
        enrol(path, [soon.id])
    people = [done, running, late, soon, idle, outside]
    with clock.travel(NOW):
        found = cells(column("path-first"), people)
        assert {key: value[:2] for key, value in found.items()} == {
            done.id: ("done", 2),
            running.id: ("on_track", 1),
            late.id: ("overdue", 0),
            soon.id: ("due", 0),
            idle.id: ("not_started", 0),
        }
        assert column("path-first").total == 2
        assert found[done.id][2] is None
        course = cells(column("course-two"), people)
        assert {key: value[0] for key, value in course.items()} == {
            done.id: "done",
            running.id: "not_started",
            late.id: "overdue",
            soon.id: "due",
            idle.id: "not_started",
        }
        assert column("course-two").detail
        assert not column("path-first").detail


def test_a_column_costs_the_same_for_ten_and_for_a_thousand(app: Flask) -> None:
    path = make_path(make_course("one"), slug="first")
    ids = make_people(1000)
    enrol(path, ids)
    db.session.commit()
    costs = []
    for count in (10, 1000):
        wanted = select(Person.id).where(Person.id.in_(ids[:count]))
        with counted() as queries:
            rows = [db.session.execute(one.cells(wanted)).all() for one in team_columns()]
        assert len(rows[0]) == count
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_the_first_page_leads_to_the_very_card(app: Flask) -> None:
    person = make_person(hired_on=TODAY - dt.timedelta(days=5))
    one, two = make_course("one"), make_course("two", title="Work out loud")
    path = make_path(one, two, slug="first", due_from="hire")
    later = make_path(two, slug="later", due_days=90)
    with clock.travel(NOW), app.test_request_context():
        assert next_for(person.id) is None
        enrol(path, [person.id])
        enrol(later, [person.id])
        step = next_for(person.id)
        assert step is not None
        assert (step.lesson.number, step.lesson.total, step.lesson.minutes) == (1, 2, 3)
        assert (step.url, step.lesson.begun) == ("/courses/one/", False)
        assert eyebrow(step) == "Day 6 of your first 30"
        card = home_card(person.id)
        assert card is not None
        assert (card["primary"], card["question"]) == (True, "Three minutes?")
        take(person, one, 5)
        card = home_card(person.id)
        assert card is not None
        assert card["question"] == "Four minutes?"
        step = next_for(person.id)
        assert step is not None
        assert (step.url, step.lesson.number) == ("/courses/one/ask/last", 2)
        take(person, one)
        step = next_for(person.id)
        assert step is not None
        assert step.standing.course.slug == "two"
        take(person, two)
        assert next_for(person.id) is None
        card = home_card(person.id)
        assert card is not None
        assert not card["primary"]


def test_a_path_stays_completed_when_a_course_is_added(app: Flask) -> None:
    person = make_person()
    one = make_course("one")
    path = make_path(one, slug="first")
    enrol(path, [person.id])
    take(person, one)
    make_path(one, make_course("two"), slug="first")
    assert cells(column("path-first"), [person])[person.id][:2] == ("done", 1)


def library(folder: Folder, title: str = "Ask well", path: str = "") -> Folder:
    """Write a library of one course and one path."""
    texts = files()
    texts["course.md"] = texts["course.md"].replace(b"title: Ask well", f"title: {title}".encode())
    texts["01-ask.md"] = texts["01-ask.md"].replace(
        b"![A post with a code in it](media/post.png)", b""
    )
    texts.pop("media/post.png")
    for name, content in texts.items():
        target = folder / "courses" / "ask-well" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    (folder / "paths").mkdir(exist_ok=True)
    (folder / "paths" / "first.md").write_text(
        path
        or "---\ntitle: First\nsummary: S\nuse_case: Find who knows\nbusiness_objective: Sooner\n"
        "owner: Head of People\ncourses: [ask-well]\ndue_days: 30\naudience:\n"
        "  hired_within_days: 60\n---\n\nWelcome.\n"
    )
    return folder


def test_the_library_is_loaded_once_and_anew_only_where_it_changed(
    app: Flask, tmp_path: Folder
) -> None:
    done = load_library(library(tmp_path))
    assert (done.courses, done.paths, done.refused) == (["ask-well"], ["first"], {})
    path = get_path("first")
    assert (path.due_from, path.due_days, path.description) == ("hire", 30, "Welcome.")
    objective = find_objective("first")
    assert objective is not None
    assert (objective.use_case, objective.owner_title) == ("Find who knows", "Head of People")
    again = load_library(tmp_path)
    assert (again.courses, again.paths) == ([], [])
    assert db.session.scalar(select(func.count()).select_from(CourseVersion)) == 1
    load_library(library(tmp_path, "Ask better"))
    course = db.session.scalars(select(Course)).one()
    assert (course.title, course.published_number) == ("Ask better", 2)


def test_a_course_that_was_changed_here_is_left_to_its_author(app: Flask, tmp_path: Folder) -> None:
    load_library(library(tmp_path))
    author = make_person(is_author=True)
    course = db.session.scalars(select(Course)).one()
    save_draft(course, make_document("Ours"), course.draft_revision, author.id)
    publish(course, author.id)
    db.session.commit()
    assert load_library(library(tmp_path, "Ask better")).kept == ["ask-well"]
    assert db.session.scalars(select(Course.title)).one() == "Ours"


def test_a_path_that_names_no_course_is_refused_and_the_rest_is_loaded(
    app: Flask, tmp_path: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    text = (
        "---\ntitle: F\nsummary: S\nuse_case: U\nbusiness_objective: B\ncourses: [nowhere]\n---\n"
    )
    done = load_library(library(tmp_path, path=text))
    assert done.courses == ["ask-well"]
    assert done.refused == {
        "path/first": "paths/first.md names a course that is not here: nowhere."
    }


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        ("due_days: soon", 7, "a whole number"),
        ("due_days: 0", 7, "from 1"),
        ("due_from: birth", 7, "enrolment or hire"),
        ("audience: everyone", 7, "key: value"),
        ("audience: {planet: earth}", 7, "Known: job_roles, units"),
        ("audience: {units: Operations}", 7, "wants a list"),
    ],
)
def test_a_path_is_refused_with_its_line(change: str, line: int, says: str) -> None:
    text = (
        "---\ntitle: F\nsummary: S\nuse_case: U\nbusiness_objective: B\ncourses: [a]\n"
        f"{change}\n---\n"
    )
    with pytest.raises(CourseTextError) as raised:
        parse_path("first", text.encode())
    assert (raised.value.line, raised.value.path) == (line, "paths/first.md")
    assert says in raised.value.message


def notices() -> list[tuple[int, str]]:
    """Return who was told what."""
    rows = db.session.scalars(select(Notice).order_by(Notice.id))
    return [(row.person_id, row.kind) for row in rows]


def test_each_is_told_once_that_a_path_is_theirs_and_when_its_day_comes(app: Flask) -> None:
    course = make_course("one")
    path = make_path(course, slug="first", due_days=30)
    slow, quick, left = make_person(), make_person(), make_person()
    with clock.travel(NOW):
        enrol_by_rule()
        enrol_by_rule()
        remind()
    people = [slow.id, quick.id, left.id]
    assert sorted(notices()) == [(one, "courses.enrolled") for one in people]
    take(quick, course)
    left.active = False
    db.session.commit()
    for day in (20, 27, 28, 29):
        with clock.travel(NOW + dt.timedelta(days=day)):
            remind()
    assert notices()[3:] == [(slow.id, "courses.due")]
    for day in (31, 35, 40, 60):
        with clock.travel(NOW + dt.timedelta(days=day)):
            remind()
    assert notices()[4:] == [(slow.id, "courses.overdue")]
    with clock.travel(NOW + dt.timedelta(days=60)):
        late = make_path(make_course("two"), slug="late", due_days=2)
        enrol(late, [slow.id], tell=False)
        remind()
    assert len(notices()) == 5
    assert path.slug == "first"


def test_the_notices_are_whole_sentences(app: Flask) -> None:
    path = make_path(make_course(), slug="first", summary="Find your people.")
    person = make_person()
    with clock.travel(NOW), app.test_request_context():
        enrol(path, [person.id])
        notice = db.session.scalars(select(Notice)).one()
        for kind in NOTICE_KINDS:
            about, text, _html = mail_parts(notice, kind)
            assert "First" in about
            assert "23 December 2026" in text
            assert "http://localhost/courses/paths/first" in text
            assert "None" not in text
