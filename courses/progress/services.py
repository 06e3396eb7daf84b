"""Beginning, answering, moving on, finishing. Every act may be sent twice and counts once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Insert, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from courses.blocks.content import Content, get_content
from courses.catalogue.models import Course
from courses.catalogue.services import newest_version
from courses.progress import statements
from courses.progress.cycles import FIRST
from courses.progress.models import Answer, Attempt, Completion, new_registration
from courses.progress.scoring import Outcome, outcome
from lms import clock
from lms.db import Model, begin_writing, db
from lms.errors import Invalid, NotFound
from lms.events import Event, EvidenceChanged, publish
from lms.people.models import Person

_AFTER_BEGINNING = dt.timedelta(milliseconds=1)
# Built once: SQLAlchemy takes longer to build a statement than SQLite to answer it.
_LATEST = (
    select(Attempt)
    .where(Attempt.person_id == bindparam("person"), Attempt.course_id == bindparam("course"))
    .order_by(Attempt.number.desc())
    .limit(1)
)
_LATEST_BY_SLUG = (
    select(Attempt)
    .join(Course, Course.id == Attempt.course_id)
    .where(Attempt.person_id == bindparam("person"), Course.slug == bindparam("slug"))
    .order_by(Attempt.number.desc())
    .limit(1)
)
_OWN = select(Attempt).where(
    Attempt.registration == bindparam("registration"), Attempt.person_id == bindparam("person")
)
_ANSWERS = select(Answer).where(Answer.attempt_id == bindparam("attempt"))
_ANSWER = _ANSWERS.where(Answer.card_id == bindparam("card"))


@dataclass(frozen=True, slots=True)
class CourseBegun(Event):
    """These people have begun an attempt at this course."""

    person_ids: frozenset[int]
    course_id: int


@dataclass(frozen=True, slots=True)
class CourseCompleted(Event):
    """These people completed this course for the first time in their present cycle; told before
    EvidenceChanged is.
    """

    person_ids: frozenset[int]
    course_id: int


def insert_once(model: type[Model]) -> Any:
    """Return an INSERT that does nothing where the row is there already, on either database."""
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    statement: Insert = dialect.insert(model).on_conflict_do_nothing()
    return statement


def way(content: Content, attempt: Attempt) -> tuple[str, ...]:
    """Return the ids of the cards that this attempt walks, in order."""
    return content.questions if attempt.questions_only else content.order


def find_attempt(person_id: int, course_id: int) -> Attempt | None:
    """Return the person's latest attempt at the course, or None."""
    return db.session.scalar(_LATEST, {"person": person_id, "course": course_id})


def find_attempt_by_slug(person_id: int, slug: str) -> Attempt | None:
    """Return the person's latest attempt at the course of this name, or None: one query."""
    return db.session.scalar(_LATEST_BY_SLUG, {"person": person_id, "slug": slug})


def find_own_attempt(person_id: int, registration: str) -> Attempt | None:
    """Return this attempt, if it is the person's own."""
    return db.session.scalar(_OWN, {"registration": registration, "person": person_id})


def answers_of(attempt: Attempt) -> dict[str, Answer]:
    """Return the answers of an attempt by card."""
    rows = db.session.scalars(_ANSWERS, {"attempt": attempt.id})
    return {row.card_id: row for row in rows}


def find_answer(attempt: Attempt, card_id: str) -> Answer | None:
    """Return the answer to one card, or None."""
    return db.session.scalar(_ANSWER, {"attempt": attempt.id, "card": card_id})


def start(person: Person, course: Course, cycle: str = FIRST) -> Attempt:
    """Begin the course's newest version, or go on where the person is, and return the attempt.

    cycle: in which the course is asked of the person now (`courses.paths.cycles.begin` knows).
    A new attempt begins where there is none in it, where the last one failed (its questions
    alone), or where the last one is finished and a newer version is out. Raises NotFound where
    nothing is published, or where the course was put away before the person began.
    """
    latest = find_attempt(person.id, course.id)
    last = latest if latest is not None and latest.cycle >= cycle else None
    if last is not None and last.finished_at is None:
        return last
    if last is None and course.archived_at is not None:
        raise NotFound("This course is not offered any more.")
    version = newest_version(course)
    content = get_content(version.id)
    failed = last is not None and last.passed is False
    if last is not None and not failed and last.version_id == version.id:
        return last
    questions_only = failed and bool(content.questions)
    moment = clock.now()
    made = db.session.execute(
        insert_once(Attempt)
        .values(
            registration=new_registration(),
            person_id=person.id,
            course_id=course.id,
            version_id=version.id,
            number=1 if latest is None else latest.number + 1,
            cycle=cycle if last is None else last.cycle,
            questions_only=questions_only,
            card_id=(content.questions if questions_only else content.order)[0],
            reached=0,
            started_at=moment,
            seen_at=moment,
        )
        .returning(Attempt.id)
    ).scalar_one_or_none()
    attempt = find_attempt(person.id, course.id)
    assert attempt is not None  # noqa: S101 - it was there, or has just been made
    if made is not None:
        statements.initialized(person, content, attempt)
        publish(CourseBegun(frozenset({person.id}), course.id))
    return attempt


def answer(
    person: Person,
    attempt: Attempt,
    card_id: str,
    response: Sequence[str],
    answered_at: dt.datetime | None = None,
) -> Answer:
    """Keep the person's answer to a card and return it; the first one stands, however often sent.

    answered_at: when the phone took it, if it had to wait there for a network.
    Raises Invalid where it is no answer to this card, NotFound where there is no such card.
    """
    content = get_content(attempt.version_id)
    if card_id not in way(content, attempt):
        raise NotFound("There is no such card in this course.")
    chosen = sorted(set(response))
    score = content.kinds[card_id].score(content.cards[card_id].data, chosen)
    moment = clock.now()
    at = _dated(answered_at, attempt, moment)
    _lock(attempt)
    found = find_answer(attempt, card_id)
    if found is not None:
        return found
    made = Answer(
        attempt_id=attempt.id,
        card_id=card_id,
        response=chosen,
        score_scaled=score.scaled,
        right=score.right,
        answered_at=at,
    )
    db.session.add(made)
    db.session.flush()
    statements.answered(person, content, attempt, card_id, chosen, score, at)
    return made


def _dated(answered_at: dt.datetime | None, attempt: Attempt, moment: dt.datetime) -> dt.datetime:
    """Return when an answer was given: a phone's clock may be wrong, but not by more than this.

    After the beginning, never with it: statements that follow a pattern and are sent apart have
    moments of their own (xAPI Profiles, 9.0).
    """
    if answered_at is None:
        return moment
    return min(max(answered_at, attempt.started_at + _AFTER_BEGINNING), moment)


def _lock(attempt: Attempt) -> None:
    """Let one request at a time work on an attempt; on SQLite one writer is alone.

    It is cheaper than an INSERT with ON CONFLICT, which SQLAlchemy compiles anew each time.
    """
    begin_writing()
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(select(Attempt.id).where(Attempt.id == attempt.id).with_for_update())


def move_on(person: Person, attempt: Attempt, card_id: str) -> str | None:
    """Leave a card behind and return the id of the next, or None after the last.

    Sent twice, it moves once. Raises Invalid where the card is a question without an answer;
    a card that is not reached yet leads back to where the person is.
    """
    content = get_content(attempt.version_id)
    cards = way(content, attempt)
    if card_id not in cards:
        raise NotFound("There is no such card in this course.")
    place = cards.index(card_id)
    if place > attempt.reached:
        return attempt.card_id
    following = cards[place + 1] if place + 1 < len(cards) else None
    if attempt.finished_at is not None:
        return following
    if content.asks(card_id) and find_answer(attempt, card_id) is None:
        raise Invalid("Choose an answer first.")
    moved = db.session.execute(
        update(Attempt)
        .where(Attempt.id == attempt.id, Attempt.reached == place)
        .values(reached=place + 1, card_id=following or card_id, seen_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount:  # type: ignore[attr-defined]
        db.session.refresh(attempt)
        _leave_lesson(person, content, attempt, card_id, following)
        if following is None:
            _finish(person, content, attempt)
    else:
        _stand_at(attempt, following or card_id)
    return following


def _stand_at(attempt: Attempt, card_id: str) -> None:
    """Remember the card somebody went back to and on from, so that another device opens there."""
    attempt.card_id = card_id
    attempt.seen_at = clock.now()


def _leave_lesson(
    person: Person, content: Content, attempt: Attempt, card_id: str, following: str | None
) -> None:
    lesson = content.lesson_of[card_id]
    if attempt.questions_only or (following and content.lesson_of[following] == lesson):
        return
    percent = round(100 * attempt.reached / len(content.order))
    statements.lesson_completed(person, content, attempt, lesson, percent)


def outcome_of(content: Content, attempt: Attempt) -> Outcome:
    """Return what the attempt's answers come to."""
    answers = {card: (a.score_scaled, a.right) for card, a in answers_of(attempt).items()}
    return outcome(content.questions, answers, content.document.pass_score)


def _finish(person: Person, content: Content, attempt: Attempt) -> None:
    result = outcome_of(content, attempt)
    attempt.finished_at = clock.now()
    attempt.score_scaled = result.score_scaled
    attempt.passed = result.passed
    told = statements.ended(person, content, attempt, result)
    if told is None:
        return
    made = db.session.execute(
        insert_once(Completion)
        .values(
            person_id=person.id,
            target=f"course/{content.slug}",
            cycle=attempt.cycle,
            completed_at=attempt.finished_at,
            score_scaled=result.score_scaled,
            attempt_id=attempt.id,
            statement_id=told,
        )
        .returning(Completion.id)
    ).scalar_one_or_none()
    if made is not None:
        people = frozenset({person.id})
        publish(CourseCompleted(people, attempt.course_id))
        publish(EvidenceChanged(people))


def completed_at(person_id: int, target: str, cycle: str = FIRST) -> dt.datetime | None:
    """Return when the person first completed the target in this cycle or a later one, or None."""
    return db.session.scalar(
        select(func.min(Completion.completed_at)).where(
            Completion.person_id == person_id,
            Completion.target == target,
            Completion.cycle >= cycle,
        )
    )


def attempts_count(person_id: int, course_id: int) -> int:
    """Return how many attempts the person has made at the course."""
    return (
        db.session.scalar(
            select(func.count()).where(
                Attempt.person_id == person_id, Attempt.course_id == course_id
            )
        )
        or 0
    )
