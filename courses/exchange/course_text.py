"""The course text format: files to document, and document to files, exact inverses of each other.

Pure: no database, no disk. The format is described for authors in docs/authors/course-format.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from courses.catalogue.cards import CardTextError, card_types, get_card_type, problems
from courses.catalogue.document import (
    DEFAULT_MINUTES,
    SLUG_MAX_CHARS,
    Card,
    Document,
    Lesson,
    is_slug,
    slug_of,
    tidy,
)
from courses.exchange import front
from courses.exchange.front import CourseTextError, Key
from lms.writers import outside_writing

COURSE_FILE = "course.md"
MEDIA_FOLDER = "media/"
LESSON_FILE = re.compile(r"(\d{2,3})-([a-z0-9]+(?:-[a-z0-9]+)*)\.md\Z")
COURSE_KEYS = {
    "title": Key(str, required=True, most=200),
    "summary": Key(str, required=True),
    "language": Key(str, most=16),
    "pass_score": Key(float),
}
LESSON_KEYS = {"title": Key(str, required=True, most=200), "minutes": Key(int)}
SEPARATOR = "---"
ESCAPED = re.compile(r"(\\+)---[ \t]*\Z")
PLAIN = re.compile(r"\\*---[ \t]*\Z")
HEADING = re.compile(r"##(?:[ \t](.*))?\Z")
ATTRIBUTES = re.compile(r"\{#(?P<id>[^\s{}.]+)(?P<flags>(?: \.[a-z-]+)*)\}\Z")
CHARS_MOST = 200_000  # of one lesson's file
CARDS_MOST = 1_000  # of one course


@dataclass(frozen=True, slots=True)
class Bundle:
    """A course with the bytes of its pictures, by name ("desk.png")."""

    document: Document
    media: Mapping[str, bytes]


def parse_course(files: Mapping[str, bytes]) -> Bundle:
    """Read the files of a course's folder, by path inside it ("01-ask.md", "media/desk.png").

    Raises CourseTextError, which names the file and the line and says what to do. Cards without
    an id are given one made of their heading or, without heading, of their text.
    """
    outside_writing("reading a course's text")
    if COURSE_FILE not in files:
        raise CourseTextError(COURSE_FILE, 1, "This file is missing. Every course begins with it.")
    values, description, _ = front.read(
        COURSE_FILE, front.decode(COURSE_FILE, files[COURSE_FILE]), COURSE_KEYS
    )
    media = {
        path.removeprefix(MEDIA_FOLDER): content
        for path, content in files.items()
        if path.startswith(MEDIA_FOLDER)
    }
    taken: dict[str, str] = {}
    lessons: list[Lesson] = []
    where: dict[str, tuple[str, int]] = {}
    for path in sorted(path for path in files if not path.startswith(MEDIA_FOLDER)):
        if path == COURSE_FILE:
            continue
        named = LESSON_FILE.match(path)
        if named is None:
            raise CourseTextError(
                path, 1, "This file belongs to no lesson. Name lessons like 01-ask-well.md."
            )
        lessons.append(_parse_lesson(path, named[2], files[path], taken, where))
    document = Document(
        title=values["title"],
        summary=values["summary"],
        language=values.get("language") or "en",
        pass_score=values.get("pass_score"),
        description=description,
        lessons=tuple(lessons),
        media={name: hashlib.sha256(media[name]).hexdigest() for name in sorted(media)},
    )
    for problem in problems(document):
        path, line = where.get(problem.card) or where.get(f"/{problem.lesson}") or (COURSE_FILE, 1)
        raise CourseTextError(path, line, problem.message)
    return Bundle(document, media)


def format_course(bundle: Bundle) -> dict[str, bytes]:
    """Write a course as the files of its folder: `parse_course` gives the same bundle back.

    The document must have no `problems`; a draft that has some cannot be told in text exactly.
    """
    document = bundle.document
    values: dict[str, Any] = {
        "title": document.title,
        "summary": document.summary,
        "language": document.language,
    }
    if document.pass_score is not None:
        values["pass_score"] = document.pass_score
    files = {COURSE_FILE: front.write(values, document.description, tuple(COURSE_KEYS)).encode()}
    for number, lesson in enumerate(document.lessons, 1):
        cards = f"\n\n{SEPARATOR}\n\n".join(_format_card(card) for card in lesson.cards)
        head = {"title": lesson.title, "minutes": lesson.minutes}
        files[f"{number:02d}-{lesson.id}.md"] = front.write(
            head, cards, tuple(LESSON_KEYS)
        ).encode()
    for name, content in bundle.media.items():
        files[MEDIA_FOLDER + name] = content
    return files


def _parse_lesson(
    path: str,
    lesson_id: str,
    content: bytes,
    taken: dict[str, str],
    where: dict[str, tuple[str, int]],
) -> Lesson:
    text = front.decode(path, content)
    if len(text) > CHARS_MOST:
        line = text.count("\n", 0, CHARS_MOST) + 1
        advice = f"This file is too long: {CHARS_MOST} characters at most. Make two lessons of it."
        raise CourseTextError(path, line, advice)
    values, _, _ = front.read(path, text, LESSON_KEYS)
    _, _, body, first = front.split(path, text)
    where[f"/{lesson_id}"] = (path, 1)
    cards: list[Card] = []
    for start, lines in _split_cards(body.split("\n")):
        if len(taken) >= CARDS_MOST:
            advice = f"A course holds {CARDS_MOST} cards at most. Make two courses of it."
            raise CourseTextError(path, first + start, advice)
        card = _parse_card(path, first + start, lines, taken)
        taken[card.id] = path
        where[card.id] = (path, first + start)
        cards.append(card)
    if not cards:
        raise CourseTextError(path, first, "This lesson has no card. Write something below ---.")
    return Lesson(lesson_id, values["title"], values.get("minutes", DEFAULT_MINUTES), tuple(cards))


def _alone(lines: list[str], number: int) -> bool:
    """Whether a line stands between blank lines, or at the edge of the text."""
    before = number == 0 or not lines[number - 1].strip()
    return before and (number == len(lines) - 1 or not lines[number + 1].strip())


def _split_cards(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield (index of its first line, lines) of each card; separators are left out."""
    start = 0
    marks = [
        number
        for number, line in enumerate(lines)
        if line.rstrip() == SEPARATOR and _alone(lines, number)
    ]
    if not marks and not any(line.strip() for line in lines):
        return
    for mark in [*marks, len(lines)]:
        part = lines[start:mark]
        blank = next((n for n, line in enumerate(part) if line.strip()), len(part))
        yield start + blank, part[blank:]
        start = mark + 1


def _unescape(lines: list[str]) -> list[str]:
    return [
        line[1:] if ESCAPED.match(line) and _alone(lines, number) else line
        for number, line in enumerate(lines)
    ]


def _escape(lines: list[str]) -> list[str]:
    return [
        f"\\{line}" if PLAIN.match(line) and _alone(lines, number) else line
        for number, line in enumerate(lines)
    ]


def _parse_card(path: str, line: int, lines: list[str], taken: Mapping[str, str]) -> Card:
    if not any(text.strip() for text in lines):
        raise CourseTextError(
            path, line, "There is no card between these separators. Take one --- away."
        )
    heading, card_id, flags, offset = "", "", frozenset[str](), 0
    opened = HEADING.match(lines[0].rstrip())
    if opened:
        heading, card_id, flags = _read_heading((opened[1] or "").strip())
        offset = 1
    body_lines = _unescape(lines[offset:])
    blank = next((n for n, line in enumerate(body_lines) if line.strip()), len(body_lines))
    offset += blank
    body = tidy("\n".join(body_lines[blank:]))
    if card_id:
        if not is_slug(card_id) or card_id == "done":
            raise CourseTextError(
                path,
                line,
                "“%(name)s” cannot be an id. Use small letters, digits and hyphens.",
                name=card_id,
            )
        if card_id in taken:
            raise CourseTextError(
                path,
                line,
                "The id “%(name)s” is used in %(place)s already. Choose another.",
                name=card_id,
                place=taken[card_id],
            )
    else:
        card_id = _free_id(heading, body, taken)
    kind = next(kind for kind in card_types().values() if kind.recognises(body))
    try:
        data = kind.parse(body, flags)
    except CardTextError as error:
        raise CourseTextError(path, line + offset + error.line - 1, error.message) from error
    return Card(card_id, kind.name, heading, data)


def _read_heading(text: str) -> tuple[str, str, frozenset[str]]:
    start = max(text.rfind("{#"), 0)
    attributes = ATTRIBUTES.match(text, start)
    if attributes is None:
        return text, "", frozenset()
    flags = frozenset(word[1:] for word in attributes["flags"].split())
    return text[:start].strip(), attributes["id"], flags


def _free_id(heading: str, body: str, taken: Mapping[str, str]) -> str:
    digest = hashlib.sha256(body.encode()).hexdigest()[:8]
    wanted = slug_of(heading, f"card-{digest}")
    if wanted == "done":
        wanted = f"card-{digest}"
    found, number = wanted, 2
    while found in taken:
        found = f"{wanted[: SLUG_MAX_CHARS - 4].rstrip('-')}-{number}"
        number += 1
    return found


def _format_card(card: Card) -> str:
    body, flags = get_card_type(card.type).serialise(card.data)
    mark = " ".join([f"#{card.id}", *(f".{flag}" for flag in flags)])
    head = f"## {card.heading} {{{mark}}}" if card.heading else f"## {{{mark}}}"
    lines = ["", *_escape(["", *body.split("\n"), ""])[1:-1]] if body else []
    return "\n".join([head, *lines])
