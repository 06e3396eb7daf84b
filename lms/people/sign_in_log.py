"""What the audit log says of signing in: who came in and how, who failed, whose sessions ended.

By opaque ids. Never what was typed, nor from where. Whoever attacks must not be able to fill the
table: failures are written one by one up to a number, and after that only that there were more.
These lines go after LMS_SIGN_IN_AUDIT_DAYS; those about changes (a new password) stay.
"""

from __future__ import annotations

import datetime as dt

from flask import current_app, g
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from lms import audit, clock
from lms.audit import AuditEntry
from lms.db import transaction
from lms.jobs.queue import Job
from lms.people import tries
from lms.people.models import Identity, Person

JOB = "people.sign_in_log"
PREFIX = "people.sign_in."
DONE = "people.sign_in.done"
FAILED = "people.sign_in.failed"
LIMITED = "people.sign_in.limited"
MORE_FAILED = "people.sign_in.more_failed"
SIGNED_OUT = "people.sign_in.signed_out"
ENDED_OTHERS = "people.sign_in.ended_others"
NOBODY = "sign-in"  # the subject where nobody here was meant
FAILURES_A_QUARTER = 500  # written one by one, of the whole installation
ROWS_AT_ONCE = 1000

# What each act is called on pages; details: `how` (code, link, password, passkey, join), `known`
# (from a device or place where the person had signed in before), `limit`.
WORDS = {
    DONE: _l("Signed in"),
    FAILED: _l("A sign-in failed"),
    LIMITED: _l("Tried too often to sign in; refused for a quarter of an hour"),
    MORE_FAILED: _l("More sign-ins failed than are listed one by one"),
    SIGNED_OUT: _l("Signed out"),
    ENDED_OTHERS: _l("Signed out on all other devices"),
    "people.password.set": _l("A password was set"),
    "people.password.changed": _l("The password was changed"),
    "people.passkey.added": _l("A passkey was added"),
    "people.passkey.removed": _l("A passkey was removed"),
    "people.address.changed": _l("The e-mail address was changed"),
    "people.number.changed": _l("The employee number was changed"),
    "people.joined": _l("Joined by a link"),
    "people.join_link.used": _l("Came in by a link made for them alone"),
}


def signed_in(identity: Identity, how: str, known: bool) -> None:
    """Note that somebody signed in. known: from a device or place of theirs."""
    person = identity.person
    audit.note(DONE, f"person/{person.uid}", person.id, how=how, known=known)


def failed(person: Person | None, how: str) -> None:
    """Note that somebody could not show who they are; person: whom it was about, if known.

    The line is kept although the request ends in an error.
    """
    subject = NOBODY if person is None else f"person/{person.uid}"
    if _has_room():
        audit.note(FAILED, subject, how=how)


def limited(identity: Identity | None, limit: str) -> None:
    """Note that there were too many tries; call it for the first one that is refused."""
    subject = NOBODY if identity is None else f"person/{identity.person.uid}"
    if _has_room():
        audit.note(LIMITED, subject, limit=limit)


def signed_out(person: Person) -> None:
    """Note that a person signed out of the present session."""
    audit.note(SIGNED_OUT, f"person/{person.uid}", person.id)


def ended_others(person: Person) -> None:
    """Note that a person ended all of their other sessions."""
    audit.note(ENDED_OTHERS, f"person/{person.uid}", person.id)


def _has_room() -> bool:
    g.lms_keep = True
    number = tries.count("audit", "failures")
    if number == FAILURES_A_QUARTER + 1:
        audit.note(MORE_FAILED, NOBODY)
    return number <= FAILURES_A_QUARTER


def sweep() -> None:
    """Delete lines about signing in that are older than the setting says; 0 keeps them."""
    days: int = current_app.config["LMS_SIGN_IN_AUDIT_DAYS"]
    if days <= 0:
        return
    old = (
        select(AuditEntry.id)
        .where(
            AuditEntry.at < clock.now() - dt.timedelta(days=days),
            AuditEntry.act.startswith(PREFIX, autoescape=True),
        )
        .limit(ROWS_AT_ONCE)
    )
    while True:
        with transaction() as session:
            ids = list(session.scalars(old))
            session.execute(delete(AuditEntry).where(AuditEntry.id.in_(ids)))
        if len(ids) < ROWS_AT_ONCE:
            return


job = Job(JOB, sweep, every_seconds=3600.0)
