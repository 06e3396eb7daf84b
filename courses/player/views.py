"""The player's views: a card, its answer, the ends of lesson and course.

Every form is a plain POST that answers with a redirect, so that it works with JavaScript off and a
reload repeats nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from courses.blocks.content import Content, get_content
from courses.catalogue.services import get_course
from courses.paths.cycles import begin
from courses.player.blueprint import blueprint
from courses.player.next_step import next_for
from courses.player.screen import card_url, screen
from courses.progress import services
from courses.progress.models import Attempt
from courses.progress.scoring import needed
from lms.errors import Invalid, NotFound
from lms.people.access import Who, allow
from lms.people.current import current_person


def _attempt_and_content(slug: str) -> tuple[Attempt, Content] | None:
    """Return where the person is in the course, or None: not begun. One query, when warm."""
    attempt = services.find_attempt_by_slug(current_person().id, slug)
    return None if attempt is None else (attempt, get_content(attempt.version_id))


def _card_of(content: Content, lesson: str, card_id: str) -> str:
    if content.lesson_of.get(card_id) != lesson:
        raise NotFound("There is no such card in this course.")
    return card_id


@blueprint.post("/<slug>/start")
@allow(Who.SIGNED_IN)
def start(slug: str) -> ResponseReturnValue:
    """Begin the course, or go on where the person is."""
    attempt = begin(current_person(), get_course(slug))
    return redirect(card_url(get_content(attempt.version_id), attempt.card_id), 303)


@blueprint.get("/<slug>/<lesson>/")
@allow(Who.SIGNED_IN)
def lesson(slug: str, lesson: str) -> ResponseReturnValue:
    """Lead to the card where the person is in this lesson, or to the lesson's first."""
    here = _attempt_and_content(slug)
    if here is None:
        return redirect(url_for("courses.course", slug=slug), 303)
    attempt, content = here
    if lesson not in content.lessons:
        raise NotFound("There is no such lesson in this course.")
    card_id = attempt.card_id
    if content.lesson_of[card_id] != lesson:
        card_id = content.lessons[lesson].cards[0].id
    return redirect(card_url(content, card_id), 303)


@blueprint.get("/<slug>/<lesson>/<card_id>")
@allow(Who.SIGNED_IN)
def card(slug: str, lesson: str, card_id: str) -> ResponseReturnValue:
    """Show one card."""
    here = _attempt_and_content(slug)
    if here is None:
        return redirect(url_for("courses.course", slug=slug), 303)
    attempt, content = here
    _card_of(content, lesson, card_id)
    cards = services.way(content, attempt)
    if card_id not in cards or cards.index(card_id) > attempt.reached:
        return redirect(card_url(content, attempt.card_id), 303)
    answer = services.find_answer(attempt, card_id) if content.asks(card_id) else None
    return render_template(
        "courses/card.html", **screen(content, card_id, current_person(), attempt, answer)
    )


@blueprint.post("/<slug>/<lesson>/<card_id>")
@allow(Who.SIGNED_IN)
def respond(slug: str, lesson: str, card_id: str) -> ResponseReturnValue:
    """Take an answer, or move on; sent twice, it counts once."""
    person = current_person()
    registration = request.form.get("attempt", "")
    attempt = services.find_own_attempt(person.id, registration)
    if attempt is None:
        raise NotFound("There is no such attempt of yours. Open the course again.")
    content = get_content(attempt.version_id)
    if content.slug != slug:
        raise NotFound("There is no such card in this course.")
    _card_of(content, lesson, card_id)
    try:
        if request.form.get("act") == "answer":
            services.answer(
                person, attempt, card_id, request.form.getlist("response"), _answered_at()
            )
            return redirect(card_url(content, card_id), 303)
        following = services.move_on(person, attempt, card_id)
    except Invalid as error:
        shown = screen(content, card_id, person, attempt, error=error.message)
        return render_template("courses/card.html", **shown), error.status
    return redirect(_after(content, attempt, card_id, following), 303)


def _answered_at() -> dt.datetime | None:
    """Return when the phone took the answer, if it says so (milliseconds since 1970)."""
    try:
        milliseconds = int(request.form["answered_at"])
        return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _after(content: Content, attempt: Attempt, card_id: str, following: str | None) -> str:
    """Return what comes after a card: the next, the end of its lesson, or the end of the course."""
    if following is None:
        return url_for("courses.course_done", slug=content.slug)
    lesson = content.lesson_of[card_id]
    if attempt.questions_only or content.lesson_of[following] == lesson:
        return card_url(content, following)
    return url_for("courses.lesson_done", slug=content.slug, lesson=lesson)


@blueprint.get("/<slug>/<lesson>/done")
@allow(Who.SIGNED_IN)
def lesson_done(slug: str, lesson: str) -> ResponseReturnValue:
    """Say what was achieved in a lesson, and lead on."""
    here = _attempt_and_content(slug)
    if here is None:
        return redirect(url_for("courses.course", slug=slug), 303)
    attempt, content = here
    if lesson not in content.lessons:
        raise NotFound("There is no such lesson in this course.")
    return render_template("courses/lesson_done.html", **_lesson_end(content, attempt, lesson))


def _lesson_end(content: Content, attempt: Attempt, lesson_id: str) -> dict[str, Any]:
    answers = services.answers_of(attempt)
    order = list(content.lessons)
    place = order.index(lesson_id)
    following = content.lessons[order[place + 1]] if place + 1 < len(order) else None
    asked = [card.id for card in content.lessons[lesson_id].cards if content.asks(card.id)]
    return {
        "content": content,
        "document": content.document,
        "lesson": content.lessons[lesson_id],
        "number": place + 1,
        "total": len(order),
        "following": following,
        "next_url": card_url(content, following.cards[0].id) if following else None,
        "asked": len(asked),
        "right": sum(answers[one].right for one in asked if one in answers),
        "close_url": url_for("courses.course", slug=content.slug),
    }


@blueprint.get("/<slug>/done")
@allow(Who.SIGNED_IN)
def course_done(slug: str) -> ResponseReturnValue:
    """Say how the course ended, and what comes next."""
    here = _attempt_and_content(slug)
    if here is None or here[0].finished_at is None:
        return redirect(url_for("courses.course", slug=slug), 303)
    attempt, content = here
    result = services.outcome_of(content, attempt)
    bar = content.document.pass_score
    following = next_for(attempt.person_id, attempt.course_id) if result.completes else None
    return render_template(
        "courses/course_done.html",
        content=content,
        document=content.document,
        attempt=attempt,
        result=result,
        needed=needed(result.questions, bar) if bar and result.questions else None,
        following=following,
    )


@blueprint.get("/pack/<slug>/<lesson>")
@allow(Who.SIGNED_IN)
def pack(slug: str, lesson: str) -> ResponseReturnValue:
    """Give the player the cards of a lesson, so that it can go on without a network.

    Right answers and feedback are not in it: a question that is not answered yet shows none.
    """
    here = _attempt_and_content(slug)
    if here is None or lesson not in here[1].lessons:
        raise NotFound("There is no such lesson in this course.")
    attempt, content = here
    person = current_person()
    answers = services.answers_of(attempt)
    walked = services.way(content, attempt)
    if not attempt.questions_only:
        walked = tuple(card.id for card in content.lessons[lesson].cards)
    cards = [
        {
            "url": card_url(content, card_id),
            "html": render_template(
                "courses/_screen.html",
                **screen(content, card_id, person, attempt, answers.get(card_id)),
            ),
        }
        for card_id in walked
    ]
    return jsonify(
        cards=cards,
        end=render_template("courses/_offline_end.html", content=content, slug=slug),
        offline=render_template(
            "courses/offline.html",
            lesson=content.lessons[lesson],
            document=content.document,
            url=cards[0]["url"],
        ),
        media=sorted(set(content.media.values())),
    )


@blueprint.get("/state")
@allow(Who.SIGNED_IN)
def state() -> ResponseReturnValue:
    """Tell a phone that comes back who is signed in, with a token for what it has to send."""
    return jsonify(person=current_person().uid, csrf=generate_csrf())
