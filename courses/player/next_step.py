"""The one thing to do next: for the first page, and for the end of a course."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select

from courses.blocks.content import get_content
from courses.catalogue.models import CourseVersion
from courses.paths.enrolment import find_enrolments
from courses.paths.models import Enrolment
from courses.paths.progress import (
    NextLesson,
    PathStanding,
    Standing,
    next_lesson,
    path_standings,
    standings,
)
from courses.player.screen import card_url
from lms import clock
from lms.db import db
from lms.number_words import counted
from lms.people.models import Person
from lms.written import in_language


@dataclass(frozen=True, slots=True)
class NextStep:
    """A course to go on with: its lesson, and the path that asks for it, if one does."""

    standing: Standing
    lesson: NextLesson
    url: str
    path: PathStanding | None
    enrolment: Enrolment | None


def next_lesson_of(standing: Standing) -> NextLesson:
    """Return the lesson that comes next in a course somebody has or has not begun."""
    attempt = standing.attempt
    version_id = attempt.version_id if attempt is not None else newest_version_id(standing)
    return next_lesson(get_content(version_id), attempt)


def newest_version_id(standing: Standing) -> int:
    """Return the id of the course's newest version."""
    return db.session.scalars(
        select(CourseVersion.id).where(
            CourseVersion.course_id == standing.course.id,
            CourseVersion.number == standing.course.published_number,
        )
    ).one()


def url_of(standing: Standing) -> str:
    """Return where to go on: the very card, or the course's page where it begins or is judged."""
    attempt = standing.attempt
    if attempt is None or attempt.finished_at is not None:
        return url_for("courses.course", slug=standing.course.slug)
    return card_url(get_content(attempt.version_id), attempt.card_id)


def _step(
    standing: Standing, path: PathStanding | None = None, enrolment: Enrolment | None = None
) -> NextStep:
    return NextStep(standing, next_lesson_of(standing), url_of(standing), path, enrolment)


def next_for(person_id: int, after_course_id: int | None = None) -> NextStep | None:
    """Return what a person does next, or None: nothing is asked and nothing is begun.

    What is asked comes first, the soonest due before the others; a path with the course just
    finished goes before all; then what was begun of one's own accord, the latest first.
    """
    enrolments = find_enrolments(person_id)
    by_path = {path.id: enrolment for enrolment, path in enrolments}
    ways = path_standings(person_id, [path for _enrolment, path in enrolments])
    if after_course_id is not None:
        ways.sort(key=lambda way: all(s.course.id != after_course_id for s in way.steps))
    for way in ways:
        if way.completed_at is None and way.next is not None:
            return _step(way.next, way, by_path[way.path.id])
    begun = [
        standing
        for standing in standings(person_id).values()
        if standing.attempt is not None and not standing.done
    ]
    if not begun:
        return None
    latest = max(begun, key=lambda one: one.attempt.seen_at if one.attempt else clock.now())
    return _step(latest)


def eyebrow(step: NextStep) -> str:
    """Return the small line above: which day of a first month it is, or the path's name."""
    if step.path is None:
        return in_language(step.standing.edition.title, step.standing.edition.language)
    path = step.path.path
    if path.due_from == "hire" and path.due_days and step.enrolment is not None:
        hired = db.session.scalar(
            select(Person.hired_on).where(Person.id == step.enrolment.person_id)
        )
        day = (clock.today() - hired).days + 1 if hired is not None else 0
        if 1 <= day <= path.due_days:
            return str(_("Day %(day)d of your first %(days)d", day=day, days=path.due_days))
    return in_language(path.title, path.language)


def question(minutes: int) -> str:
    """Ask for the minutes the next lesson takes."""
    return counted("One minute?", "%(count)s minutes?", minutes)


def home_card(person_id: int) -> Mapping[str, Any] | None:
    """Return the first page's card: the next lesson, with the page's one primary action."""
    step = next_for(person_id)
    if step is None:
        return {
            "primary": False,
            "step": None,
            "catalogue_url": url_for("courses.catalogue"),
        }
    return {
        "primary": True,
        "step": step,
        "eyebrow": eyebrow(step),
        "question": question(step.lesson.minutes),
    }
