"""Counting tries, durably and without naming anybody: guessing has to be slow.

A key is a keyed hash of what was tried (an address, a sign-in name, where it came from). A count
holds for one stretch of time; a new stretch begins from nought.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac

from flask import current_app, g
from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from lms import clock
from lms.db import db
from lms.people.models import Tries

STRETCH_SECONDS = 15 * 60


def allowed(kind: str, subject: str, most: int) -> bool:
    """Count one try, and say whether it is among the first `most` of this quarter of an hour.

    The count is kept even if the request ends in an error.
    """
    g.lms_keep = True
    stretch = int(clock.now().timestamp()) // STRETCH_SECONDS
    insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    made = insert(Tries).values(
        key=_key(kind, subject),
        stretch=stretch,
        count=1,
        until=clock.now() + dt.timedelta(seconds=STRETCH_SECONDS),
    )
    count = db.session.scalar(
        made.on_conflict_do_update(
            index_elements=[Tries.key, Tries.stretch], set_={"count": Tries.count + 1}
        ).returning(Tries.count)
    )
    return count is not None and count <= most


def forget(kind: str, subject: str) -> None:
    """Forget the tries of somebody who got it right."""
    db.session.execute(delete(Tries).where(Tries.key == _key(kind, subject)))


def sweep() -> None:
    """Delete counts whose time is over."""
    db.session.execute(delete(Tries).where(Tries.until < clock.now()))


def _key(kind: str, subject: str) -> str:
    secret: str = current_app.config["LMS_SECRET_KEY"]
    text = f"tries\0{kind}\0{subject.strip().lower()}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
