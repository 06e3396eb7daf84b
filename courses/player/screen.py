"""What one card shows one person: the context of `courses/card.html`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from courses.blocks.content import Content
from courses.progress.models import Answer, Attempt
from courses.progress.services import way
from lms.people.models import Person
from lms.written import written_in


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as a card's template sees it."""

    response: Sequence[str]
    right: bool
    score_scaled: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card stands in what the rope shows: its lesson or, in a second try, the questions."""

    cards: tuple[str, ...]
    index: int

    @property
    def label(self) -> str:
        """Say it in words, for those who do not see the rope."""
        return str(_("Card %(number)d of %(total)d", number=self.index + 1, total=len(self.cards)))


def place_of(content: Content, attempt: Attempt | None, card_id: str) -> Place:
    """Return the card's place."""
    if attempt is not None and attempt.questions_only:
        cards = way(content, attempt)
    else:
        lesson = content.lessons[content.lesson_of[card_id]]
        cards = tuple(card.id for card in lesson.cards)
    return Place(cards, cards.index(card_id))


def card_url(content: Content, card_id: str) -> str:
    """Return the address of a card in the player."""
    return url_for(
        "courses.card", slug=content.slug, lesson=content.lesson_of[card_id], card_id=card_id
    )


def screen(
    content: Content,
    card_id: str,
    person: Person,
    attempt: Attempt | None = None,
    answer: Answer | Given | None = None,
    error: str = "",
) -> dict[str, Any]:
    """Return the context of a card. Without an attempt it is an author's preview."""
    kind = content.kinds[card_id]
    card = content.cards[card_id]
    place = place_of(content, attempt, card_id)
    back = place.cards[place.index - 1] if place.index else None
    return {
        "content": content,
        "document": content.document,
        "lesson": content.lessons[content.lesson_of[card_id]],
        "card": card,
        "written": written_in(content.document.language),
        "card_template": kind.template,
        "view": content.view(card_id),
        "live": kind.live(card.data, person.id),
        "asks": content.asks(card_id),
        "answer": answer,
        "error": error,
        "attempt": attempt,
        "person_uid": person.uid,
        "place": place,
        "url": card_url(content, card_id),
        "back_url": card_url(content, back) if back else None,
        "close_url": url_for("courses.course", slug=content.slug),
    }
