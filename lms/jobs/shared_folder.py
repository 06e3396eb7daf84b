"""Whether all machines keep their files in one folder (`lms.jobs.marks` says how that is known)."""

from __future__ import annotations

import datetime as dt

from flask import current_app
from sqlalchemy import select

from lms import clock
from lms.db import db
from lms.jobs.marks import read_mark
from lms.jobs.worker import STALE_SECONDS, Worker


def check_files() -> str | None:
    """For `ropes doctor`: name the machines whose files lie elsewhere than ours."""
    moment = clock.now()
    stale = dt.timedelta(seconds=STALE_SECONDS)
    alive = select(Worker).where(Worker.seen_at.between(moment - stale, moment + stale))
    elsewhere = [one.name for one in db.session.scalars(alive) if not _is_here(one, stale)]
    if not elsewhere:
        return None
    names = ", ".join(sorted({name.rpartition("-")[0] for name in elsewhere}))
    return (
        f"The worker on {names} does not keep its files in {current_app.config['LMS_FILES']}, or "
        "cannot write there: pictures, certificates and exports made on one machine are missing on "
        "the other. Mount one folder on all machines and name it in LMS_FILES."
    )


def _is_here(worker: Worker, stale: dt.timedelta) -> bool:
    seen = read_mark(worker.name)
    return seen is not None and abs(seen - worker.seen_at) <= stale
