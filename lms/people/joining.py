"""Joining by a link or a QR code: for people who have a phone and no mailbox yet.

An open link puts whoever uses it into a unit, a role and under a manager; it is limited in time and
in number. A link for one person lets that person in once and asks for a password.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select, update

from lms import audit, clock, events
from lms.db import db
from lms.errors import Conflict, Gone, Invalid, Sentence
from lms.moments import still_good
from lms.people.exchange.read import FORMULA_STARTS, plain_line
from lms.people.models import Identity, JoinLink, Person, Unit
from lms.people.names import folded
from lms.people.passwords import weakness
from lms.people.security import hashed, matches
from lms.people.tree import refresh_managers
from lms.people.ways_in import set_password

MOST_DAYS = 90
MOST = dt.timedelta(days=MOST_DAYS)
MOST_USES = 1000
NAME_MAX_CHARS = 120
AGAIN_MINUTES = 10
TURNS_MOST = 5  # at the lock of a link, where others of the same name come in at the same moment


def make_link(
    made_by: Person,
    days: int,
    most_uses: int,
    unit: Unit | None = None,
    manager: Person | None = None,
    job_role: str = "",
    person: Person | None = None,
) -> JoinLink:
    """Make a link. With `person` it is for that person alone and works once.

    Raises Invalid where the limits are no limits, Conflict where the person's name was removed.
    """
    if not 1 <= days <= MOST_DAYS:
        raise Invalid("A link may be open for %(days)s days at most.", days=MOST_DAYS)
    if not 1 <= most_uses <= MOST_USES:
        raise Invalid("A link may be used by %(count)s people at most.", count=MOST_USES)
    if person is not None and (person.identity is None or not person.active):
        raise Conflict("This person is not active, so there is nobody to let in.")
    link = JoinLink(
        person_id=None if person is None else person.id,
        unit_id=None if unit is None else unit.id,
        manager_id=None if manager is None else manager.id,
        job_role=job_role,
        made_by_id=made_by.id,
        expires_at=clock.now() + dt.timedelta(days=days),
        most_uses=1 if person is not None else most_uses,
    )
    db.session.add(link)
    db.session.flush()
    whose = {} if person is None else {"person": f"person/{person.uid}"}
    audit.note(
        "people.join_link.made", f"join/{link.uid}", made_by.id, uses=link.most_uses, **whose
    )
    return link


def token_of(link: JoinLink) -> str:
    """Return the secret part of a link's address."""
    return str(_signer().dumps(link.uid))


def get_link(token: str, used_up: bool = False) -> JoinLink:
    """Return the link; raises Gone where it is used up, over or closed, or never was.

    used_up: return it although others have used it up.
    """
    try:
        uid = _signer().loads(token)
    except BadSignature:
        uid = ""
    link = db.session.scalar(select(JoinLink).where(JoinLink.uid == uid))
    if link is None or not is_open(link, used_up):
        raise Gone("This link is no longer open. Ask for a new one where you got it.")
    return link


def is_open(link: JoinLink, used_up: bool = False) -> bool:
    """Whether somebody can still come in by it; used_up: or has just come in by its last use."""
    left = used_up or link.uses < link.most_uses
    return link.closed_at is None and left and still_good(link.expires_at, MOST)


def come_in(
    link: JoinLink, name: str, password: str | None, may_try: Callable[[Identity], None]
) -> tuple[Identity, bool]:
    """Let somebody in by a link; return who it is, and whether they had come in just before.

    Whoever has just come in by the link with this very name and password comes in as the same once
    more, so that a form that is sent twice, by a double tap or the back button, makes nobody twice.
    `may_try` counts a try at somebody's password, keeps the count, and raises where there were too
    many. Passwords are hashed and compared while nobody waits; then the link's row is locked, and
    who came in meanwhile is compared once that lock is given back.

    Raises Invalid for a name or password that will not do, Gone where others used it up meanwhile,
    Conflict where many of one name come in by it at this very moment.
    """
    compared: set[tuple[int, str | None]] = set()
    secret = None
    for _turn in range(TURNS_MOST):
        for newcomer in _newcomers(link, name) if password else ():
            secret_of_theirs = (newcomer.person_id, newcomer.password)
            if secret_of_theirs in compared or not newcomer.active:
                continue
            may_try(newcomer)
            if matches(password or "", newcomer.password):
                return newcomer, True
            compared.add(secret_of_theirs)
        if secret is None:
            if not is_open(link):  # and nothing is hashed for it
                raise Gone("This link is no longer open. Ask for a new one where you got it.")
            secret = _checked_and_hashed(link, name, password)
        _lock(link)
        arrived = {(one.person_id, one.password) for one in _newcomers(link, name) if one.active}
        if not password or arrived <= compared:
            entered = _enter(link, secret) if link.person_id else _join(link, name, secret)
            return entered, False
        db.session.rollback()
    raise Conflict("Many are coming in at this moment. Wait a minute, then send it once more.")


def _newcomers(link: JoinLink, name: str) -> list[Identity]:
    """Return who may have come in by this link just now under this name, newest first."""
    if link.uses == 0:
        return []
    since = clock.now() - dt.timedelta(minutes=AGAIN_MINUTES)
    asked = select(Identity).join(Person, Person.id == Identity.person_id)
    if link.person_id is not None:
        asked = asked.where(Identity.person_id == link.person_id)
    else:
        asked = asked.where(Identity.display_name == plain_line(name), Person.created_at > since)
    asked = asked.order_by(Identity.person_id.desc()).limit(3)
    return list(db.session.scalars(asked.execution_options(populate_existing=True)).unique())


def _lock(link: JoinLink) -> None:
    db.session.scalar(
        select(JoinLink)
        .where(JoinLink.id == link.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def close_link(link: JoinLink, by: Person) -> None:
    """Let nobody else in by this link."""
    link.closed_at = clock.now()
    audit.note("people.join_link.closed", f"join/{link.uid}", by.id)


def join(link: JoinLink, name: str, password: str | None) -> Identity:
    """Let somebody in by an open link, under the name they typed; return their new identity.

    Raises Invalid for a name or password that will not do, Gone where others used it up meanwhile.
    """
    return _join(link, name, _checked_and_hashed(link, name, password))


def _checked_and_hashed(link: JoinLink, name: str, password: str | None) -> str:
    """Return the hash of a password, empty where there is none; raises Invalid, Gone."""
    if link.person_id is not None:
        name = _get_invited(link).display_name
    else:
        name = plain_line(name)
        if (
            not any(char.isalpha() for char in name)
            or len(name) > NAME_MAX_CHARS
            or name.startswith(FORMULA_STARTS)
        ):
            raise Invalid("Type your name as your colleagues know it.")
    if not password:
        return ""
    check_password(password, [name])
    return hashed(password)


def _join(link: JoinLink, name: str, secret: str) -> Identity:
    name = plain_line(name)
    _take_one(link)
    person = Person(
        unit_id=link.unit_id,
        manager_id=link.manager_id,
        job_role=link.job_role,
        hired_on=clock.today(),
    )
    identity = Identity(
        display_name=name,
        given_name=name.split()[0],
        sort_name=sort_name(name),
        sign_in_name=_free_sign_in_name(name),
        password=secret or None,
    )
    person.identity = identity
    db.session.add(person)
    db.session.flush()
    if link.manager_id is not None:
        refresh_managers()
    audit.note("people.joined", f"person/{person.uid}", person.id, link=f"join/{link.uid}")
    events.publish(events.PeopleChanged(frozenset({person.id})))
    return identity


def _get_invited(link: JoinLink) -> Identity:
    identity = db.session.get(Identity, link.person_id)
    if identity is None or not identity.active:
        raise Gone("This link is no longer open. Ask for a new one where you got it.")
    return identity


def _enter(link: JoinLink, secret: str) -> Identity:
    """Let in the one person a link is for, and set their password; earlier sessions end."""
    identity = _get_invited(link)
    _take_one(link)
    if identity.sign_in_name is None and not identity.email:
        identity.sign_in_name = _free_sign_in_name(identity.display_name)
    person = identity.person
    audit.note("people.join_link.used", f"person/{person.uid}", person.id, link=f"join/{link.uid}")
    if secret:
        set_password(identity, secret)
    return identity


def check_password(password: str, about: list[str]) -> None:
    """Raise Invalid, saying why, where a password is too easily guessed."""
    why = weakness(password, [*about, current_app.config["LMS_COMPANY"]])
    if why is None:
        return
    reasons = {
        "short": Sentence(
            "That password is short. Take ten characters or more: three words will do."
        ),
        "long": Sentence("That password is very long. Two hundred characters are enough."),
        "plain": Sentence(
            "That password repeats a few characters. Three words you like are better."
        ),
        "known": Sentence(
            "Others would guess that password first. Three words you like are better."
        ),
    }
    raise Invalid(reasons[why])


def sort_name(display_name: str) -> str:
    """Return the name by which lists are sorted: family name first, folded to plain letters."""
    words = display_name.split()
    return folded(" ".join([words[-1], *words[:-1]]) if words else "")[:200]


def _take_one(link: JoinLink) -> None:
    """Use the link up by one, in a statement that two people at once cannot both win."""
    taken = db.session.execute(
        update(JoinLink)
        .where(
            JoinLink.id == link.id,
            JoinLink.uses < JoinLink.most_uses,
            JoinLink.closed_at.is_(None),
        )
        .values(uses=JoinLink.uses + 1)
        .returning(JoinLink.id)
    ).one_or_none()
    if taken is None:
        raise Gone("This link is no longer open. Ask for a new one where you got it.")


def _free_sign_in_name(name: str) -> str:
    """Return `imani.okafor`, or with a number where that is taken."""
    decomposed = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = ".".join(re.findall(r"[a-z0-9]+", decomposed))[:50] or "colleague"
    taken = set(
        db.session.scalars(
            select(Identity.sign_in_name).where(
                Identity.sign_in_name.startswith(stem, autoescape=True)
            )
        )
    )
    number = 2
    candidate = stem
    while candidate in taken:
        candidate = f"{stem}{number}"
        number += 1
    return candidate


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["LMS_SECRET_KEY"], salt="lms-join")
