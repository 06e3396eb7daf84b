"""What is held about a person: what the kernel's rooms hold, and what every plugin says it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select

from lms.audit import AuditEntry
from lms.db import db
from lms.people import sign_in_log
from lms.people.models import Familiar, Identity, Passkey, Person, SignInCode
from lms.people.names import display_names
from lms.plugin import Held, Plugin, act_in_words

SHOWN_MOST = 20_000  # characters of a row on the page; the file has all of it


def who(person_id: int) -> Sequence[Mapping[str, Any]]:
    """The name and addresses."""
    identity = db.session.get(Identity, person_id)
    if identity is None:
        return []
    return [
        {
            "name": identity.display_name,
            "email": identity.email,
            "employee_number": identity.employee_number,
            "sign_in_name": identity.sign_in_name,
        }
    ]


def where(person_id: int) -> Sequence[Mapping[str, Any]]:
    """The place in the organisation."""
    person = db.session.get(Person, person_id)
    if person is None:
        return []
    above = display_names([person.manager_id]) if person.manager_id else {}
    return [
        {
            "id_in_statements": person.uid,
            "unit": person.unit.name if person.unit else None,
            "manager": above.get(person.manager_id or 0),
            "role_at_work": person.job_role,
            "hired_on": person.hired_on,
            "language": person.language,
            "author": person.is_author,
            "manager_of_others": person.is_manager,
            "administrator": person.is_administrator,
            "account_since": person.created_at,
        }
    ]


def ways_in(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Password, passkeys, codes that wait, what is familiar; never the secrets themselves."""
    identity = db.session.get(Identity, person_id)
    found: list[dict[str, Any]] = []
    if identity is not None and identity.password:
        found.append({"kind": "password", "kept_as": "argon2 hash"})
    passkeys = db.session.scalars(select(Passkey).where(Passkey.person_id == person_id))
    found += [
        {"kind": "passkey", "name": passkey.name, "last_used": passkey.lastuse_datetime}
        for passkey in passkeys
    ]
    waiting = select(SignInCode.expires_at).where(SignInCode.person_id == person_id)
    found += [{"kind": "code", "until": until} for until in db.session.scalars(waiting)]
    familiar = select(Familiar.until).where(Familiar.person_id == person_id)
    found += [
        {"kind": "device or place", "kept_as": "keyed hash", "until": until}
        for until in db.session.scalars(familiar)
    ]
    return found


def acts(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Lines of the audit log about this person, or by them, but for sign-ins."""
    return _lines(person_id, ~AuditEntry.act.startswith(sign_in_log.PREFIX, autoescape=True))


def sign_ins(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Lines of the audit log about signing in and out."""
    return _lines(person_id, AuditEntry.act.startswith(sign_in_log.PREFIX, autoescape=True))


def sign_in_in_words(row: Mapping[str, Any]) -> str:
    """Say such a line in words."""
    return str(sign_in_log.WORDS[row["act"]])


def _lines(person_id: int, which: ColumnElement[bool]) -> Sequence[Mapping[str, Any]]:
    uid = db.session.scalar(select(Person.uid).where(Person.id == person_id))
    lines = db.session.scalars(
        select(AuditEntry)
        .where((AuditEntry.subject == f"person/{uid}") | (AuditEntry.actor_id == person_id), which)
        .order_by(AuditEntry.id.desc())
    )
    return [
        {
            "at": line.at,
            "act": line.act,
            "about": line.subject,
            "by_you": line.actor_id == person_id,
        }
        for line in lines
    ]


def act_sentence(row: Mapping[str, Any]) -> str:
    """Say what a line of the audit log is about."""
    return act_in_words(row["act"])


HELD = (
    Held(
        "name",
        _l("Your name and addresses"),
        _l("So that you can sign in and be named, by colleagues and on what you are given."),
        _l("You, those above you, and administrators. Statements never carry them."),
        _l("Until you leave and an administrator removes them."),
        who,
    ),
    Held(
        "place",
        _l("Your place in the company"),
        _l("It decides what is meant for you and who is your manager."),
        _l("You, those above you, and administrators."),
        _l("Without your name, for as long as the records it explains."),
        where,
    ),
    Held(
        "ways-in",
        _l("How you sign in"),
        _l("To let you in and nobody else, and so that strangers who guess cannot shut you out."),
        _l(
            "Nobody: of a password only a hash is kept, of a passkey only the public half, and of "
            "a device or place nothing but that you signed in from there before."
        ),
        _l(
            "Codes for a quarter of an hour; devices and places for half a year, or until you sign "
            "out everywhere; the rest until you remove it."
        ),
        ways_in,
    ),
    Held(
        "sign-ins",
        _l("When you signed in and out"),
        _l(
            "So that a sign-in by somebody else can be found. Not where you were, nor what you did."
        ),
        _l("You and administrators, in the audit log. Those above you do not see it."),
        _l("For as many days as your administrator has set; 90 where nothing is said."),
        sign_ins,
        sign_in_in_words,
    ),
    Held(
        "log",
        _l("What administrators changed"),
        _l("So that every change of rights can be accounted for."),
        _l("Administrators."),
        _l("For as long as the installation."),
        acts,
        act_sentence,
    ),
)


def everything() -> list[Held]:
    """Return what all rooms and plugins say they hold, in their order."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    return [held for part in parts for held in part.held]


def export(person: Person) -> dict[str, Any]:
    """Return all that is held about a person, as plain JSON values."""
    return {
        held.slug: {
            "label": str(held.label),
            "purpose": str(held.purpose),
            "seen_by": str(held.seen_by),
            "kept": str(held.kept),
            "rows": [
                {key: plain(value) for key, value in row.items()} for row in held.rows(person.id)
            ],
        }
        for held in everything()
    }


def as_kept(row: Mapping[str, Any]) -> str:
    """Return a row as JSON to be read, or its beginning; a value that is JSON stands in it unpacked."""
    unpacked = {key: _unpacked(plain(value)) for key, value in row.items()}
    text = orjson.dumps(unpacked, option=orjson.OPT_INDENT_2).decode()
    return text if len(text) <= SHOWN_MOST else text[:SHOWN_MOST] + "…"


def _unpacked(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith("{"):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def plain(value: Any) -> Any:
    """Return a value as JSON can carry it."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
