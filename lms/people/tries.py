"""Counting tries, durably and without naming anybody: guessing has to be slow.

A key is a keyed hash of what was tried (an address, a sign-in name, where it came from). A count
holds for one stretch of time; a new stretch begins from nought. Whose tries are counted together
at sign-in is decided in `lms.people.limits`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac

from flask import current_app, g
from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite

from lms import clock
from lms.db import db
from lms.people.models import Tries

STRETCH_SECONDS = 15 * 60


def allowed(kind: str, subject: str, most: int) -> bool:
    """Count one try, and say whether it is among the first `most` of this quarter of an hour.

    The count is kept even if the request ends in an error.
    """
    return count(kind, subject) <= most


def count(kind: str, subject: str) -> int:
    """Count one try, and return which of this quarter of an hour it is; see `allowed`."""
    g.lms_keep = True
    insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    made = insert(Tries).values(
        key=_key(kind, subject),
        stretch=_stretch(),
        count=1,
        until=clock.now() + dt.timedelta(seconds=STRETCH_SECONDS),
    )
    counted = db.session.scalar(
        made.on_conflict_do_update(
            index_elements=[Tries.key, Tries.stretch], set_={"count": Tries.count + 1}
        ).returning(Tries.count)
    )
    return counted or 0


def give_back(kind: str, subject: str) -> None:
    """Take one try back that was counted and turned out right."""
    db.session.execute(
        update(Tries)
        .where(Tries.key == _key(kind, subject), Tries.stretch == _stretch(), Tries.count > 0)
        .values(count=Tries.count - 1)
    )


def forget(kind: str, subject: str) -> None:
    """Forget the tries of somebody who got it right."""
    db.session.execute(delete(Tries).where(Tries.key == _key(kind, subject)))


def seconds_left() -> int:
    """Return after how many seconds everything is counted from nought again."""
    return STRETCH_SECONDS - int(clock.now().timestamp()) % STRETCH_SECONDS


def sweep() -> None:
    """Delete counts whose time is over."""
    db.session.execute(delete(Tries).where(Tries.until < clock.now()))


def _stretch() -> int:
    return int(clock.now().timestamp()) // STRETCH_SECONDS


def _key(kind: str, subject: str) -> str:
    secret: str = current_app.config["LMS_SECRET_KEY"]
    text = f"tries\0{kind}\0{subject.strip().lower()}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
