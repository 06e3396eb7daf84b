"""Whether who asked may still write, at the moment at which it is written.

The gate lets a request in by what it reads; hashing, reading and checking what was sent take their
time after that, and hold nobody up. Whoever was suspended or signed out meanwhile, or lost the role
that the view asks for, is refused when the request becomes a writer (`lms.writers`).
"""

from __future__ import annotations

from flask import Flask, g, has_request_context, request
from flask_babel import gettext as _
from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection

from lms.errors import NotFound, NotSignedIn
from lms.people import sessions
from lms.people.access import RELATIONS, Who
from lms.people.gate import declaration_for
from lms.people.models import EndedSession, Identity, Person
from lms.writers import on_writing

_NOW = (
    select(
        Person.active,
        Identity.fs_uniquifier,
        Person.is_author,
        Person.is_manager,
        Person.is_administrator,
        select(EndedSession.key_hash)
        .where(EndedSession.key_hash == bindparam("session"))
        .exists()
        .label("ended"),
    )
    .join(Person, Person.id == Identity.person_id)
    .where(Identity.person_id == bindparam("person"))
)


def init_app(app: Flask) -> None:
    """Ask again whenever a request of somebody who is signed in begins to write."""
    on_writing(app, refuse_who_is_out)


def note_admitted(person: Person, key: str) -> None:
    """Remember by which key the gate knew the person of this request."""
    g.people_admitted = (person.id, key, sessions.hashed_key())


def refuse_who_is_out(connection: Connection) -> None:
    """Raise NotSignedIn or NotFound where the gate would not let the person in any more."""
    if not has_request_context() or "people_admitted" not in g:
        return
    person_id, key, session_key = g.people_admitted
    now = connection.execute(_NOW, {"person": person_id, "session": session_key}).one_or_none()
    if now is None or not now.active or now.fs_uniquifier != key or now.ended:
        raise NotSignedIn(
            _("You were signed out meanwhile, so this was not saved. Sign in, then send it again.")
        )
    declared = declaration_for(request.endpoint or "")
    roles = {
        Who.AUTHOR: now.is_author,
        Who.MANAGER: now.is_manager,
        Who.ADMINISTRATOR: now.is_administrator,
    }
    if declared is None or declared.who & {Who.PUBLIC, Who.SIGNED_IN, *RELATIONS}:
        return
    if not any(roles.get(who, False) for who in declared.who):
        raise NotFound(_("There is nothing here."))
