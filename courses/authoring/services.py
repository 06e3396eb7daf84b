"""What an author does to a course. Every change is one short transaction over the whole draft.

Two authors can work on one course at once: a form carries the fingerprint of what it showed, and
only a change of that very card, lesson or description since then is a conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import func, or_, select
from sqlalchemy.orm import defer

from courses.authoring import outline
from courses.catalogue.cards import get_card_type
from courses.catalogue.document import Card, Document, from_json, slug_of, to_json
from courses.catalogue.media import add_picture
from courses.catalogue.models import Course, CourseVersion
from courses.catalogue.naming import free_id, free_slug
from courses.catalogue.services import create_course, draft_of, put_away, save_draft
from courses.paths.models import Path, PathCourse
from lms import audit
from lms.db import db
from lms.errors import Conflict, NotFound, Sentence
from lms.people.models import Identity

Change = Callable[[Document], Document]


class Edited(Conflict):
    """What the author wants to save was changed by somebody else since they opened it.

    `theirs` is what stands there now: a Card, a Lesson or a Document.
    """

    def __init__(self, theirs: Any) -> None:
        super().__init__(
            Sentence(
                "Somebody else changed this after you opened it, perhaps you in another window. "
                "Nothing was overwritten: both texts are here."
            )
        )
        self.theirs = theirs


def list_courses(search: str = "", state: str = "") -> list[tuple[Course, bool]]:
    """Return courses by title, each with whether it has something unpublished.

    state: `draft` (something unpublished), `published`, `away` (put away), or all that are not put
    away. The drafts are not loaded.
    """
    query = (
        select(Course, Course.draft.is_not(None))
        .options(defer(Course.draft))
        .where(Course.archived_at.is_not(None) if state == "away" else Course.archived_at.is_(None))
        .order_by(func.lower(Course.title), Course.id)
    )
    for word in search.split():
        like = f"%{_escaped(word)}%"
        query = query.where(
            or_(
                Course.title.ilike(like, escape="\\"),
                Course.summary.ilike(like, escape="\\"),
                Course.slug.ilike(like, escape="\\"),
            )
        )
    if state == "draft":
        query = query.where(Course.draft.is_not(None))
    elif state == "published":
        query = query.where(Course.published_number > 0)
    return [(course, bool(has_draft)) for course, has_draft in db.session.execute(query)]


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def start_course(title: str, summary: str, actor_id: int) -> Course:
    """Create a course of that title, named by a slug of it that is free, with one empty lesson."""
    document, _lesson = outline.add_lesson(
        Document(
            title=title,
            summary=summary,
            pass_score=0.7,
            language=current_app.config["LMS_LANGUAGE"],
        ),
        _("First lesson"),
    )
    return create_course(free_slug(title), document, actor_id)


def paths_of(course: Course) -> list[str]:
    """Return the titles of the paths that ask for a course."""
    asked = select(Path.title).join(PathCourse, PathCourse.path_id == Path.id)
    return list(
        db.session.scalars(
            asked.where(PathCourse.course_id == course.id).order_by(Path.position, Path.id)
        )
    )


def put_course_away(course: Course, actor_id: int) -> None:
    """Take a course off the shelves; raises Conflict where a path still asks for it."""
    paths = paths_of(course)
    if paths:
        raise Conflict(
            "“%(path)s” asks for this course. Take it out of the path first; until then it stays.",
            path=", ".join(paths),
        )
    put_away(course, actor_id)


def duplicate_course(course: Course, actor_id: int) -> Course:
    """Create a second course out of the first one's draft; it is not published."""
    document = draft_of(course)
    title = _("Copy of %(title)s", title=document.title)
    return create_course(free_slug(title), replace(document, title=title), actor_id)


def change(course: Course, actor_id: int, act: Change) -> Document:
    """Apply `act` to the draft and save it, others waiting meanwhile; return the new document.

    A change that changes nothing saves nothing, so that no draft appears where there was none.
    """
    db.session.scalars(
        select(Course)
        .where(Course.id == course.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    before = draft_of(course)
    after = act(before)
    if after != before:
        save_draft(course, after, course.draft_revision, actor_id)
    return after


def save_card(
    course: Course,
    card_id: str,
    base: str,
    heading: str,
    data: Mapping[str, Any],
    actor_id: int,
) -> Document:
    """Save one card. base: the fingerprint of the card as the author was shown it.

    Raises Edited where somebody else has changed the card since, NotFound where it is gone. The
    same save sent twice is no conflict.
    """

    def act(document: Document) -> Document:
        card = outline.get_place(document, card_id).card
        wanted = replace(card, heading=heading, data=dict(data))
        if outline.fingerprint(wanted) == outline.fingerprint(card):
            return document
        if outline.fingerprint(card) != base:
            raise Edited(card)
        return outline.rewrite_card(document, card_id, heading, data)

    return change(course, actor_id, act)


def save_lesson(
    course: Course, lesson_id: str, base: str, title: str, minutes: int, actor_id: int
) -> Document:
    """Save a lesson's title and length; raises Edited as `save_card` does."""

    def act(document: Document) -> Document:
        lesson = outline.get_lesson(document, lesson_id)
        if (lesson.title, lesson.minutes) == (title, minutes):
            return document
        if outline.fingerprint(lesson) != base:
            raise Edited(lesson)
        return outline.rewrite_lesson(document, lesson_id, title, minutes)

    return change(course, actor_id, act)


def save_about(course: Course, base: str, values: Mapping[str, Any], actor_id: int) -> Document:
    """Save what is said of the course as a whole; raises Edited as `save_card` does."""

    def act(document: Document) -> Document:
        wanted = replace(document, **values)
        if wanted == document:
            return document
        if outline.fingerprint(document) != base:
            raise Edited(document)
        return wanted

    return change(course, actor_id, act)


def add_lesson(course: Course, title: str, actor_id: int) -> str:
    """Add a lesson at the end and return its id."""
    made: list[str] = []

    def act(document: Document) -> Document:
        after, lesson_id = outline.add_lesson(document, title)
        made.append(lesson_id)
        return after

    change(course, actor_id, act)
    return made[0]


def add_card(
    course: Course,
    lesson_id: str,
    kind: str,
    data: Mapping[str, Any],
    after: str | None,
    actor_id: int,
) -> str:
    """Add a card of an installed type and return its id."""
    get_card_type(kind)
    made: list[str] = []

    def act(document: Document) -> Document:
        changed, card_id = outline.add_card(document, lesson_id, kind, data, after)
        made.append(card_id)
        return changed

    change(course, actor_id, act)
    return made[0]


def put_picture(
    course: Course, card_id: str, file_name: str, content: bytes, alternative: str, actor_id: int
) -> Document:
    """Take a picture in and put it at the end of a card's text, with its alternative text.

    Raises Invalid or TooLarge where the file is no picture that can be shown.
    """
    picture = add_picture(content)

    def act(document: Document) -> Document:
        place = outline.get_place(document, card_id)
        name = _picture_name(document, file_name, picture.sha256, picture.extension)
        media = {**document.media, name: picture.sha256}
        words = " ".join(alternative.split()).translate(ESCAPES)
        text = "\n\n".join(
            part
            for part in (str(place.card.data.get("text", "")), f"![{words}](media/{name})")
            if part
        )
        return outline.rewrite_card(
            document.with_media(media),
            card_id,
            place.card.heading,
            {**place.card.data, "text": text},
        )

    return change(course, actor_id, act)


ESCAPES = str.maketrans({"[": "(", "]": ")", "\\": "/"})


def _picture_name(document: Document, file_name: str, digest: str, extension: str) -> str:
    """Return a free name for a picture, or the name it has already in this course."""
    for name, known in document.media.items():
        if known == digest:
            return name
    stem = slug_of(file_name.rsplit(".", 1)[0], "picture")
    taken = frozenset(name.rsplit(".", 1)[0] for name in document.media)
    return f"{free_id(stem, taken, 'picture')}.{extension}"


def drop_unused_pictures(document: Document) -> Document:
    """Return the document without pictures that no text shows any more."""
    said = _all_text(document)
    kept = {name: digest for name, digest in document.media.items() if f"media/{name}" in said}
    return document.with_media(kept)


def _all_text(document: Document) -> str:
    value = to_json(document)
    value.pop("media")
    return str(value)


def restore_version(course: Course, number: int, actor_id: int) -> Document:
    """Make an earlier version the draft; the present draft is replaced. Raises NotFound."""
    version = get_version(course, number)
    audit.note("courses.version_restored", f"course/{course.slug}", actor_id, version=number)
    return change(course, actor_id, lambda _: from_json(version.document))


def get_version(course: Course, number: int) -> CourseVersion:
    """Return a published version with its document; raises NotFound."""
    found = db.session.scalar(
        select(CourseVersion).where(
            CourseVersion.course_id == course.id, CourseVersion.number == number
        )
    )
    if found is None:
        raise NotFound("This course has no such version.")
    return found


def name_of(person_id: int | None) -> str:
    """Return who that is, for another author; empty where nobody is known any more."""
    if person_id is None:
        return ""
    found = db.session.scalar(select(Identity.display_name).where(Identity.person_id == person_id))
    return found or ""


def versions(course: Course) -> list[tuple[CourseVersion, str]]:
    """Return the published versions, newest first, each with the name of who published it."""
    rows = db.session.execute(
        select(CourseVersion, Identity.display_name)
        .outerjoin(Identity, Identity.person_id == CourseVersion.published_by)
        .where(CourseVersion.course_id == course.id)
        .order_by(CourseVersion.number.desc())
    )
    return [(version, name or "") for version, name in rows]


@dataclass(frozen=True, slots=True)
class Changes:
    """How a draft differs from the version that learners see: cards by heading."""

    added: tuple[Card, ...]
    rewritten: tuple[Card, ...]
    removed: tuple[Card, ...]
    other: bool  # titles, order, description

    def __bool__(self) -> bool:
        return bool(self.added or self.rewritten or self.removed or self.other)


def compare(before: Document | None, after: Document) -> Changes:
    """Return what publishing `after` over `before` changes. Pure."""
    old = {} if before is None else {card.id: card for _, card in before.cards()}
    new = {card.id: card for _, card in after.cards()}
    return Changes(
        added=tuple(card for key, card in new.items() if key not in old),
        rewritten=tuple(card for key, card in new.items() if key in old and old[key] != card),
        removed=tuple(card for key, card in old.items() if key not in new),
        other=before is None or _skeleton(before) != _skeleton(after),
    )


def _skeleton(document: Document) -> Any:
    value = to_json(document)
    return [
        {key: said for key, said in value.items() if key not in outline.INSIDE},
        [(x.id, x.title, x.minutes, [card.id for card in x.cards]) for x in document.lessons],
    ]
