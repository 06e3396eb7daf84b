"""A published version, ready to be shown: kept in the process, since it never changes.

A lesson page therefore costs no query for its content, and Markdown is rendered once a version.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from flask import Flask, current_app
from sqlalchemy import select

from courses.blocks.markdown import render
from courses.catalogue.cards import CardType, get_card_type
from courses.catalogue.document import Card, Document, Lesson, from_json
from courses.catalogue.media import picture_addresses
from courses.catalogue.models import Course, CourseVersion
from lms.db import db
from lms.errors import NotFound

KEPT_VERSIONS = 200


@dataclass(frozen=True, slots=True)
class Edition:
    """What a page says of a course beside its cards, all of it from one version of it.

    `number` is the version's; 0 for a draft.
    """

    number: int
    title: str
    summary: str
    language: str
    lessons: int
    minutes: int


def newest_edition(course: Course) -> Edition:
    """Return what the course's newest version says; its row holds all of it."""
    return Edition(
        course.published_number,
        course.title,
        course.summary,
        course.language,
        course.lessons,
        course.minutes,
    )


class Content:
    """One version of a course: its document, its cards in order, and how each is shown."""

    def __init__(
        self, version_id: int, slug: str, number: int, document: Document, media: Mapping[str, str]
    ) -> None:
        self.version_id = version_id
        self.slug = slug
        self.number = number
        self.document = document
        self.media = dict(media)
        self.lessons: dict[str, Lesson] = {lesson.id: lesson for lesson in document.lessons}
        self.cards: dict[str, Card] = {card.id: card for _, card in document.cards()}
        self.lesson_of: dict[str, str] = {card.id: lesson.id for lesson, card in document.cards()}
        self.order: tuple[str, ...] = tuple(self.cards)
        self.kinds: dict[str, CardType] = {
            card.id: get_card_type(card.type) for card in self.cards.values()
        }
        self.questions: tuple[str, ...] = tuple(
            card.id for card in self.cards.values() if self.kinds[card.id].asks(card.data)
        )
        self._views: dict[str, Mapping[str, Any]] = {}
        self.description: str = self.render(document.description)
        self.edition = Edition(
            number,
            document.title,
            document.summary,
            document.language,
            len(document.lessons),
            sum(lesson.minutes for lesson in document.lessons),
        )

    def render(self, text: str) -> str:
        """Return an author's Markdown as safe HTML, with this version's pictures."""
        return render(text, self.media)

    def view(self, card_id: str) -> Mapping[str, Any]:
        """Return what the card's template shows, rendered at the first call."""
        found = self._views.get(card_id)
        if found is None:
            found = self.kinds[card_id].present(self.cards[card_id].data, self.render)
            self._views[card_id] = found
        return found

    def asks(self, card_id: str) -> bool:
        """Whether the card waits for an answer."""
        return card_id in self.questions


class Shelf:
    """The versions a process has at hand, the least lately used given up first."""

    def __init__(self) -> None:
        self.kept: OrderedDict[int, Content] = OrderedDict()
        self.lock = Lock()

    def find(self, version_id: int) -> Content | None:
        """Return a version that is at hand, or None."""
        with self.lock:
            found = self.kept.get(version_id)
            if found is not None:
                self.kept.move_to_end(version_id)
            return found

    def put(self, content: Content) -> None:
        """Keep a version at hand."""
        with self.lock:
            self.kept[content.version_id] = content
            while len(self.kept) > KEPT_VERSIONS:
                self.kept.popitem(last=False)


def init_app(app: Flask) -> None:
    """Give the app its shelf."""
    app.extensions["courses.shelf"] = Shelf()


def get_content(version_id: int) -> Content:
    """Return a published version ready to be shown; raises NotFound. Costs queries once only."""
    shelf: Shelf = current_app.extensions["courses.shelf"]
    found = shelf.find(version_id)
    if found is not None:
        return found
    row = db.session.execute(
        select(Course.slug, CourseVersion.number, CourseVersion.document)
        .join(CourseVersion, CourseVersion.course_id == Course.id)
        .where(CourseVersion.id == version_id)
    ).one_or_none()
    if row is None:
        raise NotFound("This version of the course is not here.")
    document = from_json(row.document)
    content = Content(version_id, row.slug, row.number, document, picture_addresses(document.media))
    shelf.put(content)
    return content


def preview_content(slug: str, document: Document) -> Content:
    """Return a draft ready to be shown, kept by nobody. For previews; it has no version."""
    return Content(0, slug, 0, document, picture_addresses(document.media))
