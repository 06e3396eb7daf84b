"""Whose statements: somebody of Ropes, or any agent that a record store knows, by its keys."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
from flask import current_app
from sqlalchemy import Text, func, or_, select, type_coerce

from lms.db import db
from lms.errors import ForMachines, Invalid
from lms.people.models import Identity, Person
from xapi.lrs.errors import Refused
from xapi.lrs.keys import find_agent_key, find_person_key
from xapi.lrs.models import LrsAgent
from xapi.lrs.validate import check_agent


@dataclass(frozen=True, slots=True)
class Subject:
    """One person or agent.

    keys: under which the store knows it: of the agent as it is written (`find_agent_key`), and of
    the person, however it is written (`find_person_key`).
    """

    keys: tuple[str, ...]
    person_id: int | None = None


def of_person(person: Person) -> Subject:
    """Return somebody of Ropes: the account of our own statements, and their mail address.

    Other systems that write to the store may name people by mail. The account is looked for under
    whatever home page it has: an installation that was moved may have named people by another.
    """
    account = {"homePage": current_app.config["LMS_HOME_PAGE"], "name": person.uid}
    agents: list[dict[str, Any]] = [{"account": account}, *_accounts_named(person.uid)]
    if person.identity is not None and person.identity.email:
        agents += _by_mail(person.identity.email)
    return Subject(_keys(agents), person.id)


def read_subject(typed: str) -> Subject:
    """Return whom somebody means; raises Invalid.

    typed: the mail address, employee number, sign-in name or opaque id of somebody here, or an
    agent: `mailto:...`, the hex SHA-1 of that, the address of an OpenID, an account as "homePage
    name", or the agent as JSON.
    """
    typed = typed.strip()
    person = _find_person(typed)
    if person is not None:
        return of_person(person)
    agents = _read_agents(typed)
    try:
        for agent in agents:
            check_agent(agent, "agent")
    except Refused as error:
        raise Invalid(ForMachines(f"{error}.".replace("..", ".")), "person") from error
    keys = _keys(agents)
    if not keys:
        raise Invalid(
            "Nobody here is known as “%(key)s”, and it names no agent. Write a mail address, "
            "an employee number, or an agent: mailto:…, an OpenID, or an account as its home "
            "page, a blank, and the name.",
            "person",
            key=typed,
        )
    return Subject(keys)


def _find_person(typed: str) -> Person | None:
    lowered = typed.lower()
    by_uid = db.session.scalar(select(Person).where(Person.uid == typed))
    if by_uid is not None or not typed:
        return by_uid
    found = db.session.scalars(
        select(Person)
        .join(Identity, Identity.person_id == Person.id)
        .where(
            or_(
                func.lower(Identity.email) == lowered.removeprefix("mailto:"),
                Identity.sign_in_name == lowered,
                Identity.employee_number == typed,
            )
        )
        .limit(2)
    ).all()
    return found[0] if len(found) == 1 else None


def _read_agents(typed: str) -> list[dict[str, Any]]:
    if typed.startswith("{"):
        try:
            return [orjson.loads(typed)]
        except orjson.JSONDecodeError as error:
            raise Invalid("This is not JSON.", "person") from error
    home_page, blank, name = typed.partition(" ")
    if blank and ":" in home_page:
        return [{"account": {"homePage": home_page, "name": name.strip()}}]
    if len(typed) == 40 and all(letter in "0123456789abcdef" for letter in typed.lower()):
        return [{"mbox_sha1sum": typed}]
    if "@" in typed and "/" not in typed:
        return _by_mail(typed.removeprefix("mailto:"))
    return [{"openid": typed}] if ":" in typed else []


def _accounts_named(uid: str) -> list[dict[str, Any]]:
    """Return the agents that are an account of this opaque id, which nobody else has anywhere."""
    identifier = type_coerce(LrsAgent.identifier, Text)
    found = db.session.scalars(
        select(LrsAgent.identifier).where(identifier.contains(f'"name":"{uid}"'))
    )
    return [one for one in found if one.get("account", {}).get("name") == uid]


def _by_mail(address: str) -> list[dict[str, Any]]:
    """Return the agents that a mail address may stand behind.

    A hash shows nothing of how the address was written that it was made of: it is looked for as
    people write addresses, in small letters, with capitals at the beginnings, and in capitals.
    """
    local, _at, domain = address.rpartition("@")
    spelt = dict.fromkeys(
        f"mailto:{one}@{two}"
        for one in (local, local.lower(), local.title(), local.capitalize(), local.upper())
        for two in (domain, domain.lower(), domain.capitalize(), domain.upper())
    )
    hashes = [hashlib.sha1(one.encode(), usedforsecurity=False).hexdigest() for one in spelt]
    return [{"mbox": f"mailto:{address}"}, *({"mbox_sha1sum": one} for one in hashes)]


def _keys(agents: list[dict[str, Any]]) -> tuple[str, ...]:
    found = (find(agent) for agent in agents for find in (find_agent_key, find_person_key))
    return tuple(dict.fromkeys(key for key in found if key is not None))
