"""Courses in and out: text into the catalogue, and the catalogue back into text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from courses.catalogue.document import from_json, to_json
from courses.catalogue.media import add_pictures, read_picture
from courses.catalogue.models import Course, CourseVersion
from courses.catalogue.services import (
    create_course,
    draft_of,
    find_course,
    newest_version,
    publish_checked,
    save_draft,
)
from courses.exchange.course_text import Bundle, format_course, parse_course
from lms.errors import Conflict


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: the course, whether it is new, and the version made, if one was."""

    course: Course
    created: bool
    version: CourseVersion | None


def import_course(
    slug: str,
    files: Mapping[str, bytes],
    actor_id: int | None = None,
    as_draft: bool = False,
) -> Imported:
    """Bring a course's files in and, unless `as_draft`, publish them as a new version.

    A text that is published already makes no new version. Raises CourseTextError with file and
    line, and Conflict where somebody's unpublished draft would be overwritten.
    """
    bundle = parse_course(files)
    rows = add_pictures(bundle.media.values())
    stored = {name: row.sha256 for name, row in zip(bundle.media, rows, strict=True)}
    document = bundle.document.with_media(stored)
    course = find_course(slug)
    created = course is None
    if course is None:
        course = create_course(slug, document, actor_id)
    else:
        if course.draft is not None and course.draft != to_json(document):
            raise Conflict(
                "The course “%(slug)s” has a draft that is not published. Publish it or throw it away, then import again.",
                slug=slug,
            )
        if course.published_number and newest_version(course).document == to_json(document):
            return Imported(course, False, None)
        save_draft(course, document, course.draft_revision, actor_id)
    # What was read has been checked as it was read.
    version = None if as_draft else publish_checked(course, document, actor_id)
    return Imported(course, created, version)


def export_course(course: Course, draft: bool = False) -> dict[str, bytes]:
    """Return the files of a course: its newest published version, or its draft.

    Raises NotFound where nothing is published or a picture is lost.
    """
    document = draft_of(course) if draft else from_json(newest_version(course).document)
    media = {name: read_picture(digest)[1] for name, digest in document.media.items()}
    return format_course(Bundle(document, media))
