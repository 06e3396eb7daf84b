"""What courses measure of people: courses and paths completed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, Select, and_, func, literal, select

from courses.blocks.content import get_content
from courses.catalogue.models import Course
from courses.progress.models import Attempt, Completion
from lms.db import db
from lms.evidence import Basis, Filter, Gap, Source, Window
from lms.number_words import counted
from lms.written import fill, in_language


class Completed:
    """`courses.completed`: 1 where the target (`course/x`, `path/x`) is completed in the window.

    Without a target, it is how many different courses somebody has completed. In whatever cycle:
    the window says how old a completion may be.
    """

    slug = "courses.completed"
    label = _l("Courses completed")
    unit = _l("courses")
    sources = frozenset({Source.RECORD})

    def values(self, window: Window, where: Filter) -> Select[tuple[int, int]]:
        """Return (person_id, value); people without a completion are left out."""
        asked: Select[Any]
        if where.target is None:
            count = func.count(Completion.target.distinct()).label("value")
            asked = select(Completion.person_id, count).group_by(Completion.person_id)
        else:
            asked = select(Completion.person_id, literal(1).label("value")).distinct()
        if where.people is not None:
            asked = asked.where(Completion.person_id.in_(where.people))
        return asked.where(*_conditions(window, where))

    def bases(
        self, people: Collection[int], window: Window, where: Filter, need: int
    ) -> dict[int, Basis]:
        """Return the completions that brought it: of the first `need` targets, the first each."""
        rows = db.session.execute(
            select(Completion.person_id, Completion.target, Completion.statement_id)
            .where(Completion.person_id.in_(people), *_conditions(window, where))
            .order_by(Completion.person_id, Completion.completed_at, Completion.id)
        )
        first: dict[int, dict[str, str]] = {}  # of each person, target and statement
        for person_id, target, statement_id in rows:
            first.setdefault(person_id, {}).setdefault(target, statement_id)
        return {
            person_id: Basis(
                statements=tuple(one for one in list(told.values())[:need] if one),
                things=tuple(told)[:need],
            )
            for person_id, told in first.items()
            if len(told) >= need
        }

    def missing(self, person_id: int, window: Window, where: Filter, need: int) -> Gap:
        """Say which course or path is still open, with a link to it."""
        have = (
            db.session.scalar(
                select(func.count()).where(
                    Completion.person_id == person_id, *_conditions(window, where)
                )
            )
            or 0
        )
        kind, _slash, slug = (where.target or "").partition("/")
        if kind == "course":
            url = url_for("courses.course", slug=slug)
            title = _title_for(person_id, slug) or escape(slug)
            text: str = fill(_("Finish the course “%(title)s”."), title=title)
        elif kind == "path":
            url = url_for("courses.path", slug=slug)
            text = _("Finish the courses of this path.")
        else:
            url = url_for("courses.catalogue")
            left = max(0, need - have)
            text = counted("One more course.", "%(count)s more courses.", left)
        if have >= need:
            text = _("Done.")
        return Gap(have=have, need=need, text=text, url=url)


def _title_for(person_id: int, slug: str) -> Markup | None:
    """Return what the course is called in the version that the person learns from."""
    row = db.session.execute(
        select(Course.title, Course.language, Attempt.version_id)
        .outerjoin(Attempt, and_(Attempt.course_id == Course.id, Attempt.person_id == person_id))
        .where(Course.slug == slug)
        .order_by(Attempt.number.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    if row.version_id is None:
        return in_language(row.title, row.language)
    edition = get_content(row.version_id).edition
    return in_language(edition.title, edition.language)


def _conditions(window: Window, where: Filter) -> list[ColumnElement[bool]]:
    if where.target is None:
        found: list[ColumnElement[bool]] = [Completion.target.like("course/%")]
    else:
        found = [Completion.target == where.target]
    if where.sources and Source.RECORD not in where.sources:
        found.append(literal(False))
    if window.since is not None:
        found.append(Completion.completed_at >= window.since)
    if window.until is not None:
        found.append(Completion.completed_at < window.until)
    return found


completed = Completed()
