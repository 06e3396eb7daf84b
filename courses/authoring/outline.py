"""Changing a course's document: lessons and cards added, moved, rewritten, taken away.

Pure: each function returns a new document. An id, once given, stays with its card or lesson.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from courses.catalogue.document import (
    DEFAULT_MINUTES,
    Card,
    Document,
    Lesson,
    to_json,
)
from courses.catalogue.naming import free_id
from lms.errors import NotFound


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card stands: its lesson, its number in the lesson and in the course, from 1."""

    lesson: Lesson
    card: Card
    number: int
    number_in_course: int


def get_lesson(document: Document, lesson_id: str) -> Lesson:
    """Return the lesson; raises NotFound."""
    found = next((lesson for lesson in document.lessons if lesson.id == lesson_id), None)
    if found is None:
        raise NotFound("This lesson is not in the course any more.")
    return found


def find_place(document: Document, card_id: str) -> Place | None:
    """Return where the card stands, or None."""
    number_in_course = 0
    for lesson in document.lessons:
        for number, card in enumerate(lesson.cards, 1):
            number_in_course += 1
            if card.id == card_id:
                return Place(lesson, card, number, number_in_course)
    return None


def get_place(document: Document, card_id: str) -> Place:
    """Return where the card stands; raises NotFound."""
    found = find_place(document, card_id)
    if found is None:
        raise NotFound("This card is not in the course any more.")
    return found


def fingerprint(thing: Card | Lesson | Document) -> str:
    """Return a short text that differs when what the author sees on that form differs.

    Of a lesson and a course only what their own forms hold counts, not what is inside.
    """
    value: Any
    if isinstance(thing, Card):
        value = [thing.id, thing.type, thing.heading, dict(thing.data)]
    elif isinstance(thing, Lesson):
        value = [thing.id, thing.title, thing.minutes]
    else:
        value = {key: said for key, said in to_json(thing).items() if key not in INSIDE}
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:20]


INSIDE = frozenset({"lessons", "media"})


def add_lesson(document: Document, title: str) -> tuple[Document, str]:
    """Put a lesson without cards at the end; return the document and the lesson's id."""
    taken = frozenset(lesson.id for lesson in document.lessons)
    lesson_id = free_id(title, taken, "lesson")
    lesson = Lesson(lesson_id, title, DEFAULT_MINUTES, ())
    return replace(document, lessons=(*document.lessons, lesson)), lesson_id


def rewrite_lesson(document: Document, lesson_id: str, title: str, minutes: int) -> Document:
    """Give a lesson another title and length; its id, and so its address, stays."""
    changed = replace(get_lesson(document, lesson_id), title=title, minutes=minutes)
    return _with_lesson(document, changed)


def remove_lesson(document: Document, lesson_id: str) -> Document:
    """Take a lesson away with its cards."""
    get_lesson(document, lesson_id)
    return replace(document, lessons=tuple(x for x in document.lessons if x.id != lesson_id))


def move_lesson(document: Document, lesson_id: str, steps: int) -> Document:
    """Move a lesson by so many places, no further than the ends."""
    lessons = list(document.lessons)
    at = lessons.index(get_lesson(document, lesson_id))
    lesson = lessons.pop(at)
    lessons.insert(max(0, min(len(lessons), at + steps)), lesson)
    return replace(document, lessons=tuple(lessons))


def add_card(
    document: Document,
    lesson_id: str,
    kind: str,
    data: Mapping[str, Any],
    after: str | None = None,
) -> tuple[Document, str]:
    """Put a new card into a lesson, behind the card `after` or at the end; return its id too."""
    lesson = get_lesson(document, lesson_id)
    taken = frozenset(card.id for _, card in document.cards())
    number = len(taken) + 1
    card_id = free_id(f"card-{number}", taken, "card")
    at = next((n for n, card in enumerate(lesson.cards, 1) if card.id == after), len(lesson.cards))
    card = Card(card_id, kind, "", dict(data))
    cards = (*lesson.cards[:at], card, *lesson.cards[at:])
    return _with_lesson(document, replace(lesson, cards=cards)), card_id


def rewrite_card(
    document: Document, card_id: str, heading: str, data: Mapping[str, Any]
) -> Document:
    """Give a card another heading and other contents."""
    place = get_place(document, card_id)
    changed = replace(place.card, heading=heading, data=dict(data))
    cards = tuple(changed if card.id == card_id else card for card in place.lesson.cards)
    return _with_lesson(document, replace(place.lesson, cards=cards))


def remove_card(document: Document, card_id: str) -> Document:
    """Take a card away."""
    lesson = get_place(document, card_id).lesson
    cards = tuple(card for card in lesson.cards if card.id != card_id)
    return _with_lesson(document, replace(lesson, cards=cards))


def move_card(document: Document, card_id: str, steps: int) -> Document:
    """Move a card one place up (-1) or down (1); at a lesson's edge into the next lesson."""
    place = get_place(document, card_id)
    lessons = list(document.lessons)
    at = lessons.index(place.lesson)
    cards = list(place.lesson.cards)
    target = place.number - 1 + steps
    if 0 <= target < len(cards):
        cards.insert(target, cards.pop(place.number - 1))
        return _with_lesson(document, replace(place.lesson, cards=tuple(cards)))
    neighbour = at + (1 if steps > 0 else -1)
    if not 0 <= neighbour < len(lessons):
        return document
    cards.remove(place.card)
    lessons[at] = replace(place.lesson, cards=tuple(cards))
    there = lessons[neighbour].cards
    there = (place.card, *there) if steps > 0 else (*there, place.card)
    lessons[neighbour] = replace(lessons[neighbour], cards=there)
    return replace(document, lessons=tuple(lessons))


def _with_lesson(document: Document, changed: Lesson) -> Document:
    lessons = tuple(changed if lesson.id == changed.id else lesson for lesson in document.lessons)
    return replace(document, lessons=lessons)
