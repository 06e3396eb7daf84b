"""A company with real paths, at the size of a large one: rows inserted by the set."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from sqlalchemy import insert, select

from courses.catalogue.models import Course, CourseVersion
from courses.paths.models import Enrolment, Path
from courses.progress.models import Attempt, Completion, new_registration
from lms import clock
from lms.db import Model, db
from lms.people.models import Identity, Person
from lms.teams.standing import build
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_person

SPAN = 8  # reports of each manager
COURSES_A_PATH = 3
ROWS_AT_ONCE = 20_000


def make_company(people: int, paths: int, seed: int = 7) -> Person:
    """Commit `people` in a tree, each on every one of `paths`; return who stands above them all.

    Each path has a course of its own and shares two with its neighbours. Of each path a third of
    the people have begun nothing (but perhaps a course it shares), a third have begun, a third are
    done; some are late, some are soon due, a few have no date and a few enrolments have ended.
    """
    boss, ids = _make_tree(people)
    own = [make_course(f"own-{n}") for n in range(paths)]
    made = [
        make_path(*(own[(n + step) % paths] for step in range(COURSES_A_PATH)), slug=f"item-{n}")
        for n in range(paths)
    ]
    dice = random.Random(seed)
    for model, rows in zip(
        (Enrolment, Attempt, Completion), _learning(ids, own, made, dice), strict=True
    ):
        _insert(model, rows)
    db.session.commit()
    build()  # rows that were written past the services
    return boss


def _make_tree(people: int) -> tuple[Person, list[int]]:
    boss = make_person("Greta Halden")
    boss.is_manager = True
    found = [Person(is_manager=n * SPAN + 1 < people) for n in range(people)]
    db.session.add_all(found)
    db.session.flush()
    for n, one in enumerate(found):
        one.manager_id = boss.id if n == 0 else found[(n - 1) // SPAN].id
        name = f"Person {n:05}"
        one.identity = Identity(display_name=name, given_name="Person", sort_name=name)
    db.session.flush()
    return boss, [one.id for one in found]


def _learning(
    people: list[int], courses: list[Course], paths: list[Path], dice: random.Random
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    now = clock.now()
    rows = db.session.execute(select(CourseVersion.course_id, CourseVersion.id))
    versions: dict[int, int] = {course_id: version_id for course_id, version_id in rows}  # noqa: C416 - rows are no pairs to mypy
    enrolments, attempts, completions = [], [], []
    for one in people:
        begun: set[int] = set()
        done: set[str] = set()
        for n, path in enumerate(paths):
            due = None if dice.random() < 0.05 else now + dt.timedelta(days=dice.randrange(-5, 60))
            enrolments.append(
                {
                    "person_id": one,
                    "path_id": path.id,
                    "enrolled_at": now - dt.timedelta(days=30),
                    "due_at": due,
                    "ended_at": now if dice.random() < 0.02 else None,
                }
            )
            far = dice.randrange(3)  # not begun, under way, done
            steps = [courses[(n + step) % len(courses)] for step in range(COURSES_A_PATH)]
            if far:
                begun |= {course.id for course in (steps if far == 2 else steps[:1])}
            if far == 2:
                done |= {f"path/{path.slug}", *(f"course/{course.slug}" for course in steps)}
        attempts += [
            {
                "registration": new_registration(),
                "person_id": one,
                "course_id": course_id,
                "version_id": versions[course_id],
                "number": 1,
                "card_id": "hello",
                "started_at": now,
                "seen_at": now,
            }
            for course_id in sorted(begun)
        ]
        completions += [
            {"person_id": one, "target": target, "completed_at": now} for target in sorted(done)
        ]
    return enrolments, attempts, completions


def _insert(model: type[Model], rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), ROWS_AT_ONCE):
        db.session.execute(insert(model), rows[start : start + ROWS_AT_ONCE])
