"""A course as a document: what an author writes, without any database.

The same document is stored as JSON (a draft, a published version) and written as a folder of text
(`courses.exchange`). It is plain data: a card's `data` belongs to its card type.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lms.errors import Invalid, Sentence

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
SLUG_MAX_CHARS = 60
MEDIA_NAME = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*\.(?:png|jpg|jpeg|gif|webp)\Z")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
DEFAULT_MINUTES = 3
MINUTES_MAX = 60


@dataclass(frozen=True, slots=True)
class Card:
    """One screen. `id` is unique in the course and stays when the card is edited or moved."""

    id: str
    type: str
    heading: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A few minutes of cards. `id` is the slug in its file name and its address."""

    id: str
    title: str
    minutes: int
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole course. `pass_score` is 0 to 1, or None where answers are not judged.

    `media` maps a picture's name ("desk.png", written `media/desk.png` in the text) to the
    SHA-256 of its stored bytes.
    """

    title: str
    summary: str = ""
    language: str = "en"
    pass_score: float | None = None
    description: str = ""
    lessons: tuple[Lesson, ...] = ()
    media: Mapping[str, str] = field(default_factory=dict)

    def cards(self) -> Iterator[tuple[Lesson, Card]]:
        """Yield every card with its lesson, in order."""
        for lesson in self.lessons:
            for card in lesson.cards:
                yield lesson, card

    def find_card(self, card_id: str) -> Card | None:
        """Return the card with this id, or None."""
        return next((card for _, card in self.cards() if card.id == card_id), None)

    def with_media(self, media: Mapping[str, str]) -> Document:
        """Return the same course with another table of pictures."""
        return replace(self, media=dict(sorted(media.items())))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing an author must mend before publishing: where (ids, or empty), and what to do."""

    message: str
    lesson: str = ""
    card: str = ""


def to_json(document: Document) -> dict[str, Any]:
    """Return the document as plain JSON data; `from_json` is its exact inverse."""
    return {
        "title": document.title,
        "summary": document.summary,
        "language": document.language,
        "pass_score": document.pass_score,
        "description": document.description,
        "lessons": [
            {
                "id": lesson.id,
                "title": lesson.title,
                "minutes": lesson.minutes,
                "cards": [
                    {
                        "id": card.id,
                        "type": card.type,
                        "heading": card.heading,
                        "data": dict(card.data),
                    }
                    for card in lesson.cards
                ],
            }
            for lesson in document.lessons
        ],
        "media": dict(document.media),
    }


def from_json(value: Mapping[str, Any]) -> Document:
    """Read what `to_json` wrote; raises Invalid where it is no course document."""
    try:
        return Document(
            title=str(value["title"]),
            summary=str(value.get("summary", "")),
            language=str(value.get("language", "en")),
            pass_score=None if value.get("pass_score") is None else float(value["pass_score"]),
            description=str(value.get("description", "")),
            lessons=tuple(
                Lesson(
                    id=str(lesson["id"]),
                    title=str(lesson["title"]),
                    minutes=int(lesson["minutes"]),
                    cards=tuple(
                        Card(
                            id=str(card["id"]),
                            type=str(card["type"]),
                            heading=str(card.get("heading", "")),
                            data=dict(card["data"]),
                        )
                        for card in lesson["cards"]
                    ),
                )
                for lesson in value["lessons"]
            ),
            media={str(name): str(digest) for name, digest in value.get("media", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Invalid("This is not a course document. Export the course and compare.") from error


def tidy(text: str) -> str:
    """Return Markdown as it is stored: line ends are LF, no blank lines at either end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"\A(?:[ \t\xa0]*\n)+", "", text).rstrip()
    return "" if not text.strip() else text


def slug_of(text: str, fallback: str = "card") -> str:
    """Return a slug for a title: lower case, Latin letters and digits, hyphens between words.

    Letters lose their accents and stay: "Übergabe" is `ubergabe`.
    """
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    words = re.findall(r"[a-z0-9]+", plain.lower())
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word[:SLUG_MAX_CHARS]
        if len(longer) > SLUG_MAX_CHARS:
            break
        slug = longer
    return slug or fallback


def is_slug(text: str) -> bool:
    """Whether `text` may be the id of a course, a lesson or a card."""
    return len(text) <= SLUG_MAX_CHARS and SLUG.match(text) is not None


def structure_problems(document: Document) -> list[Problem]:
    """Return what is wrong with a course apart from the insides of its cards."""
    found: list[Problem] = []
    if not document.title.strip():
        found.append(Problem(Sentence("Give the course a title.")))
    if not document.summary.strip():
        found.append(
            Problem(Sentence("Give the course a summary: one sentence that says what it is for."))
        )
    if document.pass_score is not None and not 0 < document.pass_score <= 1:
        found.append(
            Problem(Sentence("The pass score is a number above 0 and up to 1, such as 0.7."))
        )
    if not document.lessons:
        found.append(Problem(Sentence("Write at least one lesson.")))
    for text, advice in (
        (document.title, Sentence("Write the title of the course on one line.")),
        (document.summary, Sentence("Write the summary of the course on one line.")),
        (document.language, Sentence("Write the language of the course on one line.")),
    ):
        if text != text.strip() or "\n" in text or CONTROL.search(text):
            found.append(Problem(advice))
    if CONTROL.search(document.description) or document.description != tidy(document.description):
        found.append(
            Problem(Sentence("The description holds blank lines at its ends or odd characters."))
        )
    found += [
        Problem(
            Sentence("“%(name)s” cannot be the name of a picture: write desk-1.png.", name=name)
        )
        for name in document.media
        if not MEDIA_NAME.match(name)
    ]
    lessons: set[str] = set()
    cards: set[str] = set()
    for lesson in document.lessons:
        found += _lesson_problems(lesson, lessons, cards)
    return found


def _lesson_problems(lesson: Lesson, lessons: set[str], cards: set[str]) -> list[Problem]:
    found: list[Problem] = []
    title = lesson.title
    if not title.strip() or title != title.strip() or "\n" in title or CONTROL.search(title):
        found.append(Problem(Sentence("Give the lesson a title on one line."), lesson.id))
    if not is_slug(lesson.id) or lesson.id == "done":
        found.append(
            Problem(
                Sentence(
                    "“%(name)s” cannot name a lesson: use small letters and hyphens.",
                    name=lesson.id,
                ),
                "",
            )
        )
    if lesson.id in lessons:
        found.append(
            Problem(
                Sentence("Two lessons are named “%(name)s”. Rename one.", name=lesson.id), lesson.id
            )
        )
    lessons.add(lesson.id)
    if not 1 <= lesson.minutes <= MINUTES_MAX:
        found.append(
            Problem(
                Sentence("A lesson takes 1 to %(most)s minutes.", most=MINUTES_MAX),
                lesson.id,
            )
        )
    if not lesson.cards:
        found.append(
            Problem(Sentence("The lesson “%(title)s” has no card yet.", title=title), lesson.id)
        )
    for card in lesson.cards:
        where = (lesson.id, card.id)
        if not is_slug(card.id) or card.id == "done":
            found.append(
                Problem(
                    Sentence(
                        "“%(name)s” cannot name a card: use small letters and hyphens.",
                        name=card.id,
                    ),
                    *where,
                )
            )
        if card.id in cards:
            found.append(
                Problem(
                    Sentence("Two cards have the id “%(name)s”. Change one.", name=card.id), *where
                )
            )
        cards.add(card.id)
        heading = card.heading
        if heading != heading.strip() or "\n" in heading or CONTROL.search(heading):
            found.append(Problem(Sentence("Write the heading of a card on one line."), *where))
    return found
