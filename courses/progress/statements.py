"""The statements that learning makes: what, of which activity, in whose registration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from tincan import Activity

from courses.blocks.content import Content
from courses.catalogue.cards import Score
from courses.progress.models import Attempt
from courses.progress.scoring import Outcome, as_response
from lms.people.models import Person
from xapi import api, build, vocabulary


def course_activity(content: Content) -> Activity:
    """Return the course, in the version that was taken."""
    document = content.document
    return build.activity(
        f"courses/{content.slug}/v{content.number}",
        vocabulary.COURSE,
        document.title,
        document.summary or None,
        language=document.language,
    )


def lesson_activity(content: Content, lesson_id: str) -> Activity:
    """Return a lesson of the course."""
    return build.activity(
        f"courses/{content.slug}/v{content.number}/lessons/{lesson_id}",
        vocabulary.LESSON,
        content.lessons[lesson_id].title,
        language=content.document.language,
    )


def card_activity(content: Content, card_id: str) -> Activity:
    """Return a question of the course."""
    card = content.cards[card_id]
    return build.activity(
        f"courses/{content.slug}/v{content.number}/cards/{card_id}",
        vocabulary.QUESTION,
        card.heading or str(card.data.get("text", ""))[:200],
        language=content.document.language,
    )


def initialized(person: Person, content: Content, attempt: Attempt) -> None:
    """Record that the attempt began: at its moment, before which no answer of it is dated."""
    api.record(
        person.id,
        build.statement(
            person.uid,
            vocabulary.INITIALIZED,
            course_activity(content),
            registration=attempt.registration,
            category=[build.our_profile()],
            timestamp=attempt.started_at,
        ),
    )


def answered(
    person: Person,
    content: Content,
    attempt: Attempt,
    card_id: str,
    response: Sequence[str],
    score: Score,
    at: dt.datetime,
) -> None:
    """Record an answer: which options by number, whether right, what it is worth."""
    api.record(
        person.id,
        build.statement(
            person.uid,
            vocabulary.ANSWERED,
            card_activity(content, card_id),
            registration=attempt.registration,
            category=[build.our_profile()],
            score_scaled=score.scaled,
            success=score.right,
            response=as_response(response),
            parent=lesson_activity(content, content.lesson_of[card_id]),
            grouping=[course_activity(content)],
            timestamp=at,
        ),
    )


def lesson_completed(
    person: Person, content: Content, attempt: Attempt, lesson_id: str, percent: int
) -> None:
    """Record that a lesson is done, and how far the course is."""
    course = course_activity(content)
    api.record(
        person.id,
        build.statement(
            person.uid,
            vocabulary.COMPLETED,
            lesson_activity(content, lesson_id),
            registration=attempt.registration,
            category=[build.our_profile()],
            completion=True,
            parent=course,
        ),
    )
    api.record(
        person.id,
        build.statement(
            person.uid,
            vocabulary.PROGRESSED,
            course,
            registration=attempt.registration,
            category=[build.our_profile()],
            result_extensions={vocabulary.PROGRESS: percent},
        ),
    )


def ended(person: Person, content: Content, attempt: Attempt, result: Outcome) -> str | None:
    """Record how the attempt ended: passed or failed where that is judged, and completed.

    Returns the id of the statement that it is completed, None where it is not.
    """
    course = course_activity(content)
    if result.passed is not None:
        verb = vocabulary.PASSED if result.passed else vocabulary.FAILED
        api.record(
            person.id,
            build.statement(
                person.uid,
                verb,
                course,
                registration=attempt.registration,
                category=[build.our_profile()],
                score_scaled=result.score_scaled,
                success=result.passed,
            ),
        )
    if not result.completes:
        return None
    return api.record(
        person.id,
        build.statement(
            person.uid,
            vocabulary.COMPLETED,
            course,
            registration=attempt.registration,
            category=[build.our_profile()],
            score_scaled=result.score_scaled,
            completion=True,
        ),
    )
