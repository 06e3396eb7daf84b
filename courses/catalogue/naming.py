"""Names that are free: of courses, and of lessons, cards and pictures inside one."""

from __future__ import annotations

from sqlalchemy import select

from courses.catalogue.document import SLUG_MAX_CHARS, slug_of
from courses.catalogue.models import Course
from courses.catalogue.services import RESERVED_SLUGS
from lms.db import db

RESERVED_IDS = frozenset({"done"})


def free_id(wanted: str, taken: frozenset[str], fallback: str) -> str:
    """Return a slug for `wanted` that is not taken: itself, or with a number behind it."""
    slug = slug_of(wanted, fallback)
    if slug in RESERVED_IDS:
        slug = f"{fallback}-{slug}"
    found, number = slug, 2
    while found in taken:
        found = f"{slug[: SLUG_MAX_CHARS - 5].rstrip('-')}-{number}"
        number += 1
    return found


def free_slug(title: str) -> str:
    """Return a name for a course that no other course has."""
    wanted = slug_of(title, "course")
    taken = set(db.session.scalars(select(Course.slug).where(Course.slug.startswith(wanted[:50]))))
    return free_id(wanted, frozenset(taken | RESERVED_SLUGS), "course")
