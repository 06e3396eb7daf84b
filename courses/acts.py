"""What authors do to courses, as the audit log says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from courses.catalogue.models import Course
from lms.db import db
from lms.plugin import Subject

ACTS: Mapping[str, Any] = {
    "courses.created": _l("Course begun"),
    "courses.published": _l("Course published"),
    "courses.draft_discarded": _l("Draft of a course thrown away"),
    "courses.version_restored": _l("Earlier version of a course brought back as draft"),
    "courses.put_away": _l("Course put away"),
    "courses.brought_back": _l("Course brought back"),
}


def _courses(slugs: Sequence[str]) -> Mapping[str, str]:
    named = select(Course.slug, Course.title).where(Course.slug.in_(slugs))
    return dict(db.session.execute(named).tuples().all())


SUBJECTS = (Subject("course", _l("Course"), _courses),)
