"""What courses hold about a person, for the page that tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from courses.catalogue.models import Course
from courses.progress.models import Answer, Attempt, Completion
from lms.db import db
from lms.plugin import Held


def attempts(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Attempts, newest first, with how many questions were answered."""
    answered = (
        select(Answer.attempt_id, func.count().label("number"))
        .group_by(Answer.attempt_id)
        .subquery()
    )
    rows = db.session.execute(
        select(Attempt, Course.slug, answered.c.number)
        .join(Course, Course.id == Attempt.course_id)
        .outerjoin(answered, answered.c.attempt_id == Attempt.id)
        .where(Attempt.person_id == person_id)
        .order_by(Attempt.id.desc())
    )
    return [
        {
            "course": slug,
            "begun": attempt.started_at,
            "last_seen": attempt.seen_at,
            "finished": attempt.finished_at,
            "questions_answered": number or 0,
            "score": attempt.score_scaled,
        }
        for attempt, slug, number in rows
    ]


def answers(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Answers, newest first: which options were chosen on which card."""
    rows = db.session.execute(
        select(Answer, Course.slug)
        .join(Attempt, Attempt.id == Answer.attempt_id)
        .join(Course, Course.id == Attempt.course_id)
        .where(Attempt.person_id == person_id)
        .order_by(Answer.id.desc())
    )
    return [
        {
            "course": slug,
            "card": answer.card_id,
            "chosen": ", ".join(answer.response),
            "right": answer.right,
            "at": answer.answered_at,
        }
        for answer, slug in rows
    ]


def completions(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Courses and paths completed, newest first."""
    rows = db.session.scalars(
        select(Completion)
        .where(Completion.person_id == person_id)
        .order_by(Completion.completed_at.desc())
    )
    return [{"what": row.target, "at": row.completed_at} for row in rows]


HELD = (
    Held(
        "courses.completions",
        _l("What you have completed"),
        _l("So that it counts toward your paths and certificates."),
        _l("You, those above you, and administrators."),
        _l("Without your name, once it is removed."),
        completions,
    ),
    Held(
        "courses.attempts",
        _l("Where you are in your courses"),
        _l("So that you go on where you stopped, on any phone."),
        _l("You. Those above you see whether a course is done, not how it went."),
        _l("Without your name, once it is removed."),
        attempts,
    ),
    Held(
        "courses.answers",
        _l("Your answers"),
        _l("So that an answer counts once, and feedback can be read again."),
        _l("You. They also go into the record store, under your opaque id."),
        _l("Without your name, once it is removed."),
        answers,
    ),
)
