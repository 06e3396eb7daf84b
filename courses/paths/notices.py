"""What learners are told of their paths: that one is for them, that its day comes, that it is past.

Each is said once for an enrolment and a day, however often the job runs; reminders end by themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, exists, select

from courses.paths.models import Enrolment, Path
from courses.progress.models import Completion
from lms import clock, days
from lms.db import db, transaction
from lms.notices.services import send_many
from lms.people.models import Person
from lms.plugin import NoticeKind

ENROLLED = "courses.enrolled"
DUE = "courses.due"
OVERDUE = "courses.overdue"
DUE_IN_DAYS = 3
OVERDUE_FOR_DAYS = 14  # what is older is the manager's page to say, not one more mail
BATCH = 500

NOTICE_KINDS = (
    NoticeKind(
        ENROLLED,
        _l("A path for you: %(title)s"),
        "courses/notices/enrolled",
        "says that a path was assigned, and by when",
    ),
    NoticeKind(
        DUE,
        _l("Due soon: %(title)s"),
        "courses/notices/due",
        "reminds once, three days before a path is due",
    ),
    NoticeKind(
        OVERDUE,
        _l("Still open: %(title)s"),
        "courses/notices/overdue",
        "reminds once, after a path was due",
    ),
)


def _data(path: Path, due_at: dt.datetime | None) -> dict[str, Any]:
    return {
        "title": path.title,
        "summary": path.summary,
        "language": path.language,
        "path": f"/courses/paths/{path.slug}",
        "due_on": days.local_day(due_at).isoformat() if due_at else None,
    }


def tell_enrolled(path: Path, enrolments: Iterable[tuple[int, dt.datetime | None]]) -> None:
    """Tell these people (id, due) that the path is for them now."""
    send_many(
        ENROLLED,
        [
            (person_id, f"{ENROLLED}:{path.id}:{person_id}", _data(path, due_at))
            for person_id, due_at in enrolments
        ],
    )


def remind() -> None:
    """The job: remind of what is due in three days, and of what has been due for less than two
    weeks; whoever is done, or is not asked any more, hears nothing.
    """
    moment = clock.now()
    soon = moment + dt.timedelta(days=DUE_IN_DAYS)
    old = moment - dt.timedelta(days=OVERDUE_FOR_DAYS)
    _remind(DUE, moment, soon)
    _remind(OVERDUE, old, moment)


def _remind(kind: str, since: dt.datetime, until: dt.datetime) -> None:
    done = exists().where(
        and_(
            Completion.person_id == Enrolment.person_id,
            Completion.target == "path/" + Path.slug,
        )
    )
    found = db.session.execute(
        select(Enrolment.id, Enrolment.person_id, Enrolment.due_at, Path)
        .join(Path, Path.id == Enrolment.path_id)
        .join(Person, Person.id == Enrolment.person_id)
        .where(
            Person.active,
            Enrolment.ended_at.is_(None),
            Enrolment.due_at >= since,
            Enrolment.due_at < until,
            # Who was enrolled with less time than that has only just been told.
            Enrolment.enrolled_at < clock.now() - dt.timedelta(days=DUE_IN_DAYS),
            ~done,
        )
    ).all()
    rows = [
        (person_id, f"{kind}:{enrolment_id}:{due_at.date()}", _data(path, due_at))
        for enrolment_id, person_id, due_at, path in found
    ]
    for start in range(0, len(rows), BATCH):
        with transaction():
            send_many(kind, rows[start : start + BATCH])
