"""Files that an administrator is looking at before taking them over."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, select

from lms import clock
from lms.db import db
from lms.errors import Gone, TooLarge
from lms.people.models import PeopleFile, Person

MOST_BYTES = 20 * 1024 * 1024
KEPT_HOURS = 24


def keep_file(content: bytes, name: str, by: Person) -> PeopleFile:
    """Keep a file for a day at most; raises TooLarge above 20 MB."""
    if len(content) > MOST_BYTES:
        raise TooLarge("The file is larger than 20 MB. Send it in parts.")
    kept = PeopleFile(by_id=by.id, name=name[-200:], content=content, made_at=clock.now())
    db.session.add(kept)
    db.session.flush()
    return kept


def get_file(uid: str, by: Person) -> PeopleFile:
    """Return a file that `by` keeps; raises Gone."""
    found = db.session.scalar(
        select(PeopleFile).where(PeopleFile.uid == uid, PeopleFile.by_id == by.id)
    )
    if found is None:
        raise Gone("This file has been taken over, or has waited too long. Send it again.")
    return found


def forget_file(kept: PeopleFile) -> None:
    """Forget a file that was taken over."""
    db.session.delete(kept)


def sweep_files() -> None:
    """Forget files that nobody came back for."""
    old = clock.now() - dt.timedelta(hours=KEPT_HOURS)
    db.session.execute(delete(PeopleFile).where(PeopleFile.made_at < old))
