"""What learners are told of their paths: that one is for them, that its day comes, that it is past.

Each is said once for an enrolment and a day, however often the job runs; reminders end by themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select

from courses.paths.models import Enrolment, Path
from courses.progress.cycles import FIRST
from courses.progress.models import Completion
from lms import clock, days
from lms.db import db, transaction, writing
from lms.notices.services import send_many, sent_keys
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
        label=_l("Reminders before a path is due"),
    ),
    NoticeKind(
        OVERDUE,
        _l("Still open: %(title)s"),
        "courses/notices/overdue",
        "reminds once, after a path was due",
        label=_l("Reminders of what is still open"),
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


def tell_enrolled(
    path: Path, enrolments: Iterable[tuple[int, dt.datetime | None]], cycle: str = FIRST
) -> None:
    """Tell these people (id, due) that the path is for them now; once in each cycle."""
    again = f":{cycle}" if cycle != FIRST else ""
    send_many(
        ENROLLED,
        [
            (person_id, f"{ENROLLED}:{path.id}:{person_id}{again}", _data(path, due_at))
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
    reached: int | None = 0
    while reached is not None:
        with writing(False):
            db.session.rollback()
            reached, rows = _next_rows(kind, since, until, reached)
            db.session.rollback()
        if rows:
            with transaction():
                send_many(kind, rows)


def _next_rows(
    kind: str, since: dt.datetime, until: dt.datetime, after: int
) -> tuple[int | None, list[tuple[int, str, dict[str, Any]]]]:
    """Return whom to remind of those whose enrolment comes after `after`, and how far that went.

    Who has been told is left out, so that a run with nothing new writes nothing.
    """
    done = exists().where(
        Completion.person_id == Enrolment.person_id,
        Completion.target == "path/" + Path.slug,
        Completion.cycle >= Enrolment.cycle,
    )
    due = db.session.execute(
        select(Enrolment.id, Enrolment.person_id, Enrolment.due_at, Path)
        .join(Path, Path.id == Enrolment.path_id)
        .join(Person, Person.id == Enrolment.person_id)
        .where(
            Enrolment.id > after,
            Person.active,
            Enrolment.ended_at.is_(None),
            Enrolment.due_at >= since,
            Enrolment.due_at < until,
            # Who was enrolled with less time than that has only just been told.
            Enrolment.enrolled_at < clock.now() - dt.timedelta(days=DUE_IN_DAYS),
            ~done,
        )
        .order_by(Enrolment.id)
        .limit(BATCH)
    ).all()
    rows = [
        (person_id, f"{kind}:{enrolment_id}:{due_at.date()}", _data(path, due_at))
        for enrolment_id, person_id, due_at, path in due
    ]
    told = sent_keys([key for _person_id, key, _data in rows])
    reached = due[-1].id if len(due) == BATCH else None
    return reached, [row for row in rows if row[1] not in told]
