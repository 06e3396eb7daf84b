"""What several of the author's pages show: the course's state, its problems, the preview's address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.authoring import outline
from courses.catalogue.cards import find_card_type
from courses.catalogue.document import Card, Document, Problem
from courses.catalogue.models import Course
from courses.catalogue.services import publishing_problems
from lms import clock, days
from lms.errors import shown
from lms.written import isolate


@dataclass(frozen=True, slots=True)
class ToMend:
    """A thing to mend before publishing: where, what, and the page where it is mended."""

    where: str
    message: str
    url: str
    card_id: str = ""


def to_mend(course: Course, document: Document) -> list[ToMend]:
    """Return what keeps the draft from being published, in words with links."""
    return [_to_mend(course, document, problem) for problem in publishing_problems(document)]


def _to_mend(course: Course, document: Document, problem: Problem) -> ToMend:
    place = outline.find_place(document, problem.card) if problem.card else None
    if place is not None:
        return ToMend(
            _(
                "Lesson “%(lesson)s”, card %(number)d",
                lesson=isolate(place.lesson.title),
                number=place.number,
            ),
            shown(problem.message),
            url_for("authoring.card", slug=course.slug, card_id=place.card.id),
            place.card.id,
        )
    lesson = next((x for x in document.lessons if x.id == problem.lesson), None)
    if lesson is not None:
        return ToMend(
            _("Lesson “%(lesson)s”", lesson=isolate(lesson.title)),
            shown(problem.message),
            url_for("authoring.lesson", slug=course.slug, lesson_id=lesson.id),
        )
    page = "authoring.about" if document.lessons else "authoring.course"
    return ToMend(_("The course"), shown(problem.message), url_for(page, slug=course.slug))


def card_problems(document: Document, card_id: str) -> list[str]:
    """Return what keeps one card from being published."""
    return [
        shown(found.message) for found in publishing_problems(document) if found.card == card_id
    ]


def card_kind(card: Card) -> Any:
    """Return what a card's type is called."""
    kind = find_card_type(card.type)
    return card.type if kind is None else kind.label


def card_question(card: Card) -> Any:
    """Return what the editor of a card asks its author."""
    asked = {
        "text": _("What shall they read?"),
        "choice": _("What would they do?"),
        "mission": _("What shall they do in the network?"),
    }
    return asked.get(card.type) or card_kind(card)


def card_title(card: Card) -> str:
    """Return the heading of a card or, where it has none, how its text begins."""
    if card.heading:
        return card.heading
    words = str(card.data.get("text", "")).split()
    return " ".join(words[:8]) + ("…" if len(words) > 8 else "") or _("Empty card")


def saved_sentence(course: Course) -> str:
    """Return when the draft was saved, in the reader's own time."""
    at = course.draft_saved_at
    if at is None:
        return str(_("Not saved yet"))
    if days.local_day(at) == days.local_day(clock.now()):
        return str(_("Saved at %(time)s", time=days.time(at)))
    return str(_("Saved on %(time)s", time=days.moment(at)))


def state_sentence(course: Course, has_draft: bool) -> str:
    """Return where a course stands, in a few words."""
    if not course.published_number:
        return str(_("Draft, not published yet"))
    if has_draft:
        return str(
            _(
                "Version %(number)d is published. The draft beside it is not.",
                number=course.published_number,
            )
        )
    return str(_("Version %(number)d is published", number=course.published_number))


def preview_url(slug: str, card_id: str) -> str:
    """Return where the real player shows a card of the draft."""
    return url_for("courses.preview", slug=slug, card_id=card_id)


def card_text(card: Card) -> str:
    """Return a card as text, so that two of them can be compared."""
    kind = find_card_type(card.type)
    body = "" if kind is None else kind.serialise(card.data)[0]
    return f"{card.heading}\n\n{body}".strip()


def conflict(told: str, base: str, template: str, **values: Any) -> ResponseReturnValue:
    """Return what the page's own script shows where somebody else's text stands now: both texts.

    base: the fingerprint of what stands there, so that saving once more replaces what was seen.
    """
    return jsonify(error=told, base=base, both=render_template(template, **values)), 409


def wants_json() -> bool:
    """Whether the page's own script asks."""
    return request.accept_mimetypes.best == "application/json"


def first_error(errors: dict[str, Sequence[str]]) -> str:
    """Return the first sentence of a form's errors."""
    return next((str(said) for found in errors.values() for said in found), "")
