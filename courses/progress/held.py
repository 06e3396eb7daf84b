"""What courses hold about a person, for the page that tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from courses.blocks.content import get_content
from courses.catalogue.models import Course
from courses.progress.models import Answer, Attempt
from lms import days
from lms.db import db
from lms.number_words import counted
from lms.plugin import Held


def attempts(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Attempts, newest first, with how many questions were answered."""
    answered = (
        select(Answer.attempt_id, func.count().label("number"))
        .group_by(Answer.attempt_id)
        .subquery()
    )
    rows = db.session.execute(
        select(Attempt, Course.slug, Course.title, answered.c.number)
        .join(Course, Course.id == Attempt.course_id)
        .outerjoin(answered, answered.c.attempt_id == Attempt.id)
        .where(Attempt.person_id == person_id)
        .order_by(Attempt.id.desc())
    )
    return [
        {
            "course": slug,
            "title": title,
            "cycle": attempt.cycle,
            "begun": attempt.started_at,
            "last_seen": attempt.seen_at,
            "finished": attempt.finished_at,
            "questions_answered": number or 0,
            "score": attempt.score_scaled,
        }
        for attempt, slug, title, number in rows
    ]


def attempt_in_words(row: Mapping[str, Any]) -> str:
    """Say where the person is in a course."""
    number: int = row["questions_answered"]
    answered = counted("One question is answered.", "%(count)s questions are answered.", number)
    if row["finished"] is None:
        words = _(
            "You began “%(course)s” on %(begun)s, and were last there on %(seen)s.",
            course=row["title"],
            begun=days.in_words(row["begun"]),
            seen=days.in_words(row["last_seen"]),
        )
    else:
        words = _(
            "You began “%(course)s” on %(begun)s, and came to its end on %(finished)s.",
            course=row["title"],
            begun=days.in_words(row["begun"]),
            finished=days.in_words(row["finished"]),
        )
    return f"{words} {answered}" if number else str(words)


def answers(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Answers, newest first: which options were chosen on which card."""
    rows = db.session.execute(
        select(Answer, Course.slug, Attempt.version_id)
        .join(Attempt, Attempt.id == Answer.attempt_id)
        .join(Course, Course.id == Attempt.course_id)
        .where(Attempt.person_id == person_id)
        .order_by(Answer.id.desc())
    )
    return [
        {
            "course": slug,
            "card": answer.card_id,
            "version": version_id,
            "chosen": ", ".join(answer.response),
            "right": answer.right,
            "at": answer.answered_at,
        }
        for answer, slug, version_id in rows
    ]


def answer_in_words(row: Mapping[str, Any]) -> str:
    """Say what was chosen, in the words of the question."""
    content = get_content(row["version"])
    card = content.cards.get(row["card"])
    options = [] if card is None else card.data.get("options", [])
    numbers = [one for one in row["chosen"].split(", ") if one.isdecimal()]
    chosen = [str(options[int(one)]["text"]) for one in numbers if int(one) < len(options)]
    question = row["card"] if card is None else card.heading or row["card"]
    right = _("That was right.") if row["right"] else _("That was not right.")
    words = _(
        "To “%(question)s” in “%(course)s” you answered: %(chosen)s",
        question=question,
        course=content.document.title,
        chosen="; ".join(chosen) or row["chosen"],
    )
    return f"{words} {right}"


HELD = (
    Held(
        "courses.attempts",
        _l("Where you are in your courses"),
        _l("So that you go on where you stopped, on any phone."),
        _l("You. Those above you see whether a course is done, not how it went."),
        _l("Without your name, once it is removed."),
        attempts,
        attempt_in_words,
    ),
    Held(
        "courses.answers",
        _l("Your answers"),
        _l("So that an answer counts once, and feedback can be read again."),
        _l("You. They also go into the record store, under your opaque id."),
        _l("Without your name, once it is removed."),
        answers,
        answer_in_words,
    ),
)
