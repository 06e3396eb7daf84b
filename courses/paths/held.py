"""What was completed, courses and paths, for the page that tells people what is held of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, literal, select

from courses.catalogue.models import Course
from courses.paths.models import Path
from courses.progress.models import Completion
from lms.db import db
from lms.plugin import Held


def completions(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Courses and paths completed, newest first."""
    rows = db.session.execute(
        select(Completion, func.coalesce(Course.title, Path.title))
        .outerjoin(Course, Completion.target == literal("course/") + Course.slug)
        .outerjoin(Path, Completion.target == literal("path/") + Path.slug)
        .where(Completion.person_id == person_id)
        .order_by(Completion.completed_at.desc())
    )
    return [
        {"what": row.target, "title": title, "cycle": row.cycle, "at": row.completed_at}
        for row, title in rows
    ]


def completion_in_words(row: Mapping[str, Any]) -> str:
    """Say what was completed."""
    return str(_("You completed “%(thing)s”.", thing=row["title"] or row["what"]))


HELD = (
    Held(
        "courses.completions",
        _l("What you have completed"),
        _l("So that it counts toward your paths and certificates."),
        _l("You, those above you, and administrators."),
        _l("Without your name, once it is removed."),
        completions,
        completion_in_words,
    ),
)
