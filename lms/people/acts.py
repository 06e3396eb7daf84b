"""What people and their administrators do, as the audit log says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from lms.db import db
from lms.people import sign_in_log
from lms.people.models import Identity, Person, Unit
from lms.plugin import Subject

ACTS: Mapping[str, Any] = {
    "people.added": _l("Person added"),
    "people.imported": _l("People imported from a file"),
    "people.roles": _l("Rights changed"),
    "people.active": _l("Let in again"),
    "people.suspended": _l("Suspended"),
    "people.erased": _l("Name and addresses removed"),
    "people.unit": _l("Unit added or changed"),
    "people.unit.removed": _l("Unit removed"),
    "people.join_link.made": _l("Join link made"),
    "people.join_link.closed": _l("Join link closed"),
    **sign_in_log.WORDS,
}


def _people(uids: Sequence[str]) -> Mapping[str, str]:
    named = (
        select(Person.uid, Identity.display_name)
        .join(Identity, Identity.person_id == Person.id)
        .where(Person.uid.in_(uids))
    )
    return dict(db.session.execute(named).tuples().all())


def _units(uids: Sequence[str]) -> Mapping[str, str]:
    named = select(Unit.uid, Unit.name).where(Unit.uid.in_(uids))
    return dict(db.session.execute(named).tuples().all())


SUBJECTS = (
    Subject("person", _l("Person"), _people),
    Subject("people", _l("People")),
    Subject("unit", _l("Unit"), _units),
    Subject("join", _l("Join link")),
    Subject(sign_in_log.NOBODY, _l("Signing in")),
)
