"""Changes of how somebody signs in: each is audited, and published so that the person is told."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, select

from lms import audit, events
from lms.db import db
from lms.events import SignInChange
from lms.people import familiar
from lms.people.models import Identity, Passkey, Person, SignInCode, new_uid
from lms.people.security import end_sessions

ROWS_AT_ONCE = 10_000  # databases limit the values of one statement


def set_password(identity: Identity, password_hash: str) -> None:
    """Give a person a password; all of their sessions end, and no device is familiar any longer."""
    change = SignInChange.PASSWORD_CHANGED if identity.password else SignInChange.PASSWORD_SET
    act = "people.password.changed" if identity.password else "people.password.set"
    identity.password = password_hash
    end_sessions(identity)
    familiar.forget(identity.person_id)
    audit.note(act, f"person/{identity.person.uid}", identity.person_id)
    _tell(identity.person, change)


def note_passkey_added(identity: Identity) -> None:
    """Note a new passkey."""
    audit.note("people.passkey.added", f"person/{identity.person.uid}", identity.person_id)
    _tell(identity.person, SignInChange.PASSKEY_ADDED)


def remove_passkey(passkey: Passkey) -> None:
    """Remove one of a person's passkeys."""
    person = passkey.user.person
    db.session.delete(passkey)
    audit.note("people.passkey.removed", f"person/{person.uid}", person.id)
    _tell(person, SignInChange.PASSKEY_REMOVED)


def note_addresses_changed(before: Mapping[int, str | None], by: Person | None) -> None:
    """Note that people have other addresses now; codes that wait in the old ones are worthless.

    before: the address that was theirs, by person; None where they had none.
    """
    people = list(before)
    for start in range(0, len(people), ROWS_AT_ONCE):
        some = people[start : start + ROWS_AT_ONCE]
        db.session.execute(delete(SignInCode).where(SignInCode.person_id.in_(some)))
        for uid in db.session.scalars(select(Person.uid).where(Person.id.in_(some))):
            audit.note("people.address.changed", f"person/{uid}", by.id if by else None)
    if people:
        events.publish(
            events.SignInChanged(
                frozenset(people),
                SignInChange.ADDRESS_CHANGED,
                new_uid(),
                {person_id: address for person_id, address in before.items() if address},
            )
        )


def _tell(person: Person, change: SignInChange) -> None:
    events.publish(events.SignInChanged(frozenset({person.id}), change, new_uid()))
