"""Erasing a person: who they were goes, what was learnt stays under an opaque id.

docs/privacy.md says what remains and why.
"""

from __future__ import annotations

from collections.abc import Collection

from flask import current_app
from sqlalchemy import delete, select, update

from lms import audit, events
from lms.db import db, transaction
from lms.jobs.queue import Job, wake
from lms.people.exchange.files import sweep_files
from lms.people.models import Identity, JoinLink, PeopleFile, Person
from lms.people.services import keep_an_administrator
from lms.people.tree import refresh_managers
from lms.plugin import Erasable, Plugin
from lms.writers import BUSY_TIMEOUT_SECONDS

JOB = "people.residue"
PATIENCE_MILLISECONDS = 2000  # it keeps writers waiting while it waits for readers


def erasable() -> list[Erasable]:
    """Return what may be removed along with who a person is, of all plugins."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    return [one for part in parts for one in part.erasable]


def erase(person: Person, by: Person | None, also: Collection[str] = ()) -> None:
    """Remove who a person was: name, addresses, number, password, passkeys, codes, links.

    What is left says nothing about who it was: progress, awards and statements under an opaque id
    (docs/privacy.md), but for what `also` names (slugs of `erasable`). Whoever reported to the
    person reports to the person's manager. It cannot be undone. Raises Conflict where nobody would
    be left to administer.
    """
    keep_an_administrator(person)
    for one in erasable():
        if one.slug in also:
            one.erase(person.id, by.id if by else None)
    moved = set(db.session.scalars(select(Person.id).where(Person.manager_id == person.id)))
    db.session.execute(
        update(Person).where(Person.manager_id == person.id).values(manager_id=person.manager_id)
    )
    db.session.execute(
        update(JoinLink)
        .where(JoinLink.manager_id == person.id)
        .values(manager_id=person.manager_id)
    )
    # The row goes, and the database takes along all that hangs on it.
    db.session.execute(delete(Identity).where(Identity.person_id == person.id))
    # Nobody can say in which of the files that wait to be taken over the person stands.
    db.session.execute(delete(PeopleFile))
    person_id, uid = person.id, person.uid
    db.session.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(
            active=False, is_author=False, is_manager=False, is_administrator=False, language=""
        )
    )
    db.session.expire_all()
    refresh_managers()
    wake(JOB)
    audit.note("people.erased", f"person/{uid}", by.id if by else None)
    events.publish(events.PersonErased(person_id))
    events.publish(events.PeopleChanged(frozenset({person_id, *moved})))


def empty_log() -> None:
    """The worker's part: forget old files, and fold SQLite's write-ahead log into the file, so that no old page is left.

    Where somebody is reading just then the next sweep does it.
    """
    with transaction():
        sweep_files()
    if db.engine.dialect.name != "sqlite":
        return
    connection = db.engine.raw_connection()  # no transaction around it: SQLite wants that
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={PATIENCE_MILLISECONDS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}")
    finally:
        connection.close()


job = Job(JOB, empty_log, every_seconds=3600.0)
