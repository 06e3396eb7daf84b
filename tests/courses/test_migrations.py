"""Migrations of courses, with learners in the tables: there and back."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from courses.paths.cycles import begin_next, present_cycle
from courses.paths.enrolment import enrol
from courses.progress.walk import take
from lms import migrate
from lms.db import db
from lms.teams import standing
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_person


def take_back_to(revision: str) -> None:
    """Take a branch back to a revision."""
    label = revision.partition("_")[0]

    def steps(heads: tuple[str, ...], _context: MigrationContext) -> list[Any]:
        mine = tuple(one for one in heads if one.startswith(f"{label}_"))
        return migrate.scripts()._downgrade_revs(revision, mine)  # type: ignore[arg-type]

    db.session.remove()
    migrate._run(partial(steps))


def rows(of: str) -> list[tuple[Any, ...]]:
    found = [tuple(row) for row in db.session.execute(text(f"SELECT {of}"))]
    db.session.rollback()
    return sorted(found)


def test_cycles_come_and_go_and_nobody_loses_what_was_first(app: Flask) -> None:
    again, once, course = make_person(), make_person(), make_course("one")
    path = make_path(course, slug="first")
    enrol(path, [again.id, once.id])
    for person in (again, once):
        take(person, course)
    begin_next(again.id, path, "2027")
    take(again, course, cycle=present_cycle(again.id, course.id))
    db.session.commit()
    assert len(rows("id FROM courses_completion")) == 6
    ids = (again.id, once.id)
    first = rows("person_id, target, completed_at FROM courses_completion WHERE cycle = ''")
    take_back_to("courses_0003")
    assert rows("person_id, target, completed_at FROM courses_completion") == first
    assert [row[0] for row in rows("person_id FROM courses_enrolment WHERE ended_at IS NULL")] == [
        *ids
    ]
    assert len(rows("id FROM courses_attempt")) == 3
    migrate.upgrade()
    assert rows("person_id, target, completed_at FROM courses_completion WHERE cycle = ''") == first
    for twice in (
        "INSERT INTO courses_enrolment (person_id, path_id, cycle, enrolled_at, by_rule)"
        " SELECT person_id, path_id, cycle, enrolled_at, by_rule FROM courses_enrolment",
        "INSERT INTO courses_completion (person_id, target, cycle, completed_at)"
        " SELECT person_id, target, cycle, completed_at FROM courses_completion",
    ):
        with pytest.raises(IntegrityError):
            db.session.execute(text(twice))
        db.session.rollback()


def test_standing_and_search_are_there_after_an_upgrade(app: Flask) -> None:
    person, course = make_person("Zoë Núñez", email="zn@example.test"), make_course("one")
    enrol(make_path(course, slug="first"), [person.id])
    db.session.commit()
    standing.build()
    kept = rows("person_id, rank, due_at FROM lms_team_standing")
    words = rows("person_id, word FROM lms_search_word")
    assert len(kept) == 1
    assert (person.id, "nunez") in words
    take_back_to("lms_0005")
    migrate.upgrade()
    assert rows("person_id, word FROM lms_search_word") == words
    assert rows("person_id FROM lms_team_standing") == []
    standing.build()  # as the worker does by itself
    assert rows("person_id, rank, due_at FROM lms_team_standing") == kept
