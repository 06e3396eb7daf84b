"""On which day a credential was used last: noted at most once a day, and never by the request.

A GET may not write, and should not wait for somebody who does. It leaves the day with the queue,
once a day and process; the worker writes it down.
"""

from __future__ import annotations

import datetime as dt

from flask import current_app
from sqlalchemy import select

from lms import clock
from lms.db import db, transaction
from lms.jobs.queue import queue
from xapi.lrs.models import LrsCredential

NOTE = "xapi.uses"
EVERY_SECONDS = 3600.0
_MARK = "xapi.used"


def saw(uid: str, secret_hash: str) -> None:
    """Remember that a credential was used today, by the secret with this hash."""
    noted: dict[tuple[str, str], dt.date]
    noted = current_app.extensions.setdefault("xapi.uses", {})
    today = clock.now().date()
    if noted.get((uid, secret_hash)) == today:
        return
    noted[uid, secret_hash] = today
    waiting = queue()
    if waiting.leave(_mark(uid, secret_hash), today.isoformat()):
        waiting.wake(NOTE)
    else:  # the queue is away: somebody who reads statements need not know, and the next call may do
        del noted[uid, secret_hash]


def note() -> None:
    """Write down the days that requests left; a job, to be run at any time."""
    huey = queue().huey
    found: list[tuple[int, str, dt.date]] = []
    for one in db.session.scalars(select(LrsCredential).where(LrsCredential.revoked_at.is_(None))):
        for hashed, column, before in (
            (one.secret_hash, "last_used_on", one.last_used_on),
            (one.old_secret_hash, "old_used_on", one.old_used_on),
        ):
            day = huey.get(_mark(one.uid, hashed), peek=True) if hashed else None
            if isinstance(day, str) and (before is None or before.isoformat() < day):
                found.append((one.id, column, dt.date.fromisoformat(day)))
    db.session.rollback()
    if not found:
        return
    with transaction():
        for row_id, column, used_on in found:
            credential = db.session.get(LrsCredential, row_id)
            if credential is None:
                continue
            setattr(credential, column, used_on)
            latest = credential.last_used_on
            credential.last_used_on = used_on if latest is None else max(latest, used_on)


def _mark(uid: str, secret_hash: str) -> str:
    return f"{_MARK}:{uid}:{secret_hash[:16]}"
