"""The library that ships: courses and paths as text files in the package, brought in and kept
up to date. A shipped text that has not changed makes no new version, however often it is loaded;
a course that an author here has changed since is left to them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as Folder

from flask import current_app
from sqlalchemy.exc import IntegrityError

from courses.catalogue.models import Course
from courses.catalogue.services import find_course
from courses.exchange.folder import read_folder
from courses.exchange.path_text import PathText, parse_path
from courses.exchange.services import import_course
from courses.paths.services import PathFacts, find_path, put_path
from lms.db import transaction
from lms.errors import Conflict, DomainError

LIBRARY = Folder(__file__).parent.parent / "library"
log = logging.getLogger(__name__)


@dataclass
class Loaded:
    """What loading did, by slug; `refused` says why, in words."""

    courses: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return a digest of files with their names."""
    made = hashlib.sha256()
    for name in sorted(files):
        made.update(f"{name}\0{len(files[name])}\0".encode())
        made.update(files[name])
    return made.hexdigest()


def load_library(folder: Folder = LIBRARY) -> Loaded:
    """Bring in what ships: each course and path in a transaction of its own, those unchanged not
    at all. Running it again, or twice at once, does no harm.
    """
    done = Loaded()
    courses = folder / "courses"
    for source in sorted(courses.iterdir()) if courses.is_dir() else []:
        if source.is_dir() and not source.name.startswith((".", "_")):
            _attempt(done, f"course/{source.name}", lambda source=source: _course(done, source))
    paths = folder / "paths"
    for place, source in enumerate(sorted(paths.glob("*.md")) if paths.is_dir() else []):
        _attempt(
            done,
            f"path/{source.stem}",
            lambda source=source, place=place: _path(done, source, place),
        )
    return done


def _attempt(done: Loaded, name: str, load: object) -> None:
    """Bring one in; where somebody else has brought it in at the same moment, look once more."""
    assert callable(load)  # noqa: S101 - told to the type checker
    before = (len(done.courses), len(done.paths))
    try:
        try:
            with transaction(reads_first=True):
                load()
        except IntegrityError:
            del done.courses[before[0] :], done.paths[before[1] :]
            with transaction(reads_first=True):
                load()
    except DomainError as error:
        done.refused[name] = str(error)
        log.error("%s could not be loaded from the library: %s", name, error)


def _course(done: Loaded, source: Folder) -> None:
    slug = source.name
    files = read_folder(source)
    digest = digest_of(files)
    course = find_course(slug)
    if course is not None and course.library_digest == digest:
        return
    if course is not None and _changed_here(course):
        done.kept.append(slug)
        return
    course = import_course(slug, files).course
    course.library_digest = digest
    done.courses.append(slug)


def _changed_here(course: Course) -> bool:
    """Whether an author has worked on it: a draft, or a version that somebody published."""
    if course.draft is not None or not course.library_digest:
        return True
    return any(
        version.published_by is not None
        for version in course.versions
        if version.number == course.published_number
    )


def _path(done: Loaded, source: Folder, place: int) -> None:
    slug = source.stem
    content = source.read_bytes()
    digest = digest_of({source.name: content})
    path = find_path(slug)
    if path is not None and path.library_digest == digest:
        return
    text = parse_path(slug, content)
    path = put_path(_facts(text), position=place)
    path.library_digest = digest
    done.paths.append(slug)


def _facts(text: PathText) -> PathFacts:
    missing = [slug for slug in text.courses if find_course(slug) is None]
    if missing:
        raise Conflict(
            "paths/%(slug)s.md names a course that is not here: %(missing)s.",
            slug=text.slug,
            missing=missing[0],
        )
    return PathFacts(
        slug=text.slug,
        title=text.title,
        summary=text.summary,
        description=text.description,
        language=text.language or current_app.config["LMS_LANGUAGE"],
        use_case=text.use_case,
        business_objective=text.business_objective,
        owner_title=text.owner,
        courses=text.courses,
        due_days=text.due_days,
        due_from=text.due_from,
        audience=text.audience,
    )


def load_shipped() -> None:
    """The job: load the library of this installation. Quick where nothing has changed."""
    load_library()
