"""Persons that a statement names where no filter of the standard looks for them. Pure.

In extensions, which hold whatever their makers like; and under a mail address that is written in
another way than most write it. Nobody asks the store for statements by these: they are noted for
those who are asked what is held of somebody, or to remove it (`xapi.keeping`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from xapi.lrs.keys import find_agent_key, find_person_key

# An address and nothing else, as people and programs write one: also "Ada Low <ada@example.com>".
MAIL = re.compile(
    r"\s{0,9}(?:[^<>@:]{0,99}<)?(?:mailto:)?([^\s@:/<>\"]{1,64}@[^\s@:/<>\"]{1,255})>?\s{0,9}",
    re.IGNORECASE,
)


def mentions_of(statement: Mapping[str, Any], agents: Iterable[dict[str, Any]]) -> set[str]:
    """Return the persons' keys (`find_person_key`) under which a valid statement is noted.

    agents: those that it names where filters look.
    """
    found: set[str] = set()
    for agent in agents:
        if "mbox" in agent or "mbox_sha1sum" in agent:
            key = find_person_key(agent)
            if key is not None and key != find_agent_key(agent):
                found.add(key)
    for extensions in _extensions_of(statement):
        found |= persons_in(extensions)
    return found


def persons_in(value: Any) -> set[str]:
    """Return the keys of the persons in an extension, however deep: agents and mail addresses."""
    found: set[str] = set()
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            key = find_mail_key(one)
        elif isinstance(one, dict):
            key = find_likely_key(one)
            left += one.values()
            left += one  # a mail address may be what something is listed under
        else:
            key = None
            if isinstance(one, list):
                left += one
        if key is not None:
            found.add(key)
    return found


def find_likely_key(value: dict[str, Any]) -> str | None:
    """Return the person's key of what may be an agent; None for all else that extensions hold."""
    likely = find_likely_agent(value)
    return None if likely is None else find_person_key(likely)


def find_likely_agent(value: dict[str, Any]) -> dict[str, Any] | None:
    """Return the identifier of what may be an agent, or None; looks at texts alone."""
    account = value.get("account")
    if type(account) is dict:
        home_page, name = account.get("homePage"), account.get("name")
        if type(home_page) is str and type(name) is str:
            return {"account": {"homePage": home_page, "name": name}}
    for name in ("mbox", "mbox_sha1sum", "openid"):
        if type(value.get(name)) is str:
            return {name: value[name]}
    return None


def find_mail_key(text: str) -> str | None:
    """Return the person's key of a text that is a mail address and nothing else, or None."""
    found = MAIL.fullmatch(text) if "@" in text else None
    return None if found is None else find_person_key({"mbox": f"mailto:{found[1]}"})


def _extensions_of(statement: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the extensions of a statement, and of one inside it: there is no other place."""
    for holder in (statement, statement["object"]):
        for name in ("result", "context"):
            part = holder.get(name)
            if part and "extensions" in part:
                yield part["extensions"]
        yield from _defined(holder.get("object"))
        related = (holder.get("context") or {}).get("contextActivities")
        for several in related.values() if related else ():
            for activity in several:
                yield from _defined(activity)


def _defined(activity: Mapping[str, Any] | None) -> Iterator[Any]:
    definition = activity.get("definition") if activity else None
    if definition and "extensions" in definition:
        yield definition["extensions"]
