"""A person taken out of a statement that is somebody else's. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from xapi.build import REMOVED
from xapi.lrs.keys import find_agent_key, find_person_key
from xapi.lrs.mentions import find_likely_agent, find_mail_key
from xapi.lrs.multipart import attachments_of
from xapi.lrs.signatures import USAGE_TYPE
from xapi.lrs.validate import VOIDED


def is_theirs(statement: Mapping[str, Any], keys: Collection[str]) -> bool:
    """Tell whether a statement says what one of these agents did, or what was done to them.

    keys: of agents and persons (`xapi.lrs.keys`). A group of which they are a member did it as a
    group: that is not theirs alone.
    """
    target = statement["object"]
    named = [statement["actor"]]
    if target.get("objectType") in ("Agent", "Group"):
        named.append(target)
    return any(_is_one_of(one, keys) for one in named)


def is_voiding(statement: Mapping[str, Any]) -> bool:
    """Tell whether a statement voids another one."""
    about = statement["object"].get("objectType") == "StatementRef"
    return about and bool(statement["verb"]["id"] == VOIDED)


def is_signed(statement: Mapping[str, Any]) -> bool:
    """Tell whether a signature is attached: a changed copy of the statement would belie it."""
    return any(one.get("usageType") == USAGE_TYPE for one in attachments_of(statement))


def replace(value: Any, keys: Collection[str], home_page: str, extended: bool = False) -> Any:
    """Return a statement, or a part of one, that names nobody in the place of these agents.

    Wherever they stand; in extensions a mail address alone, too, also as a key. What is said about
    them in words is not found. extended: the value is part of an extension.
    """
    if isinstance(value, list):
        return [replace(one, keys, home_page, extended) for one in value]
    if extended and isinstance(value, str):
        return REMOVED if find_mail_key(value) in keys else value
    if not isinstance(value, dict):
        return value
    whole = {
        _rename(name, keys, home_page) if extended else name: replace(
            one, keys, home_page, extended or name == "extensions"
        )
        for name, one in value.items()
    }
    if not _is_one_of(value, keys):
        return whole
    kept = {name: whole[name] for name in ("objectType", "member") if name in whole}
    return {**kept, "account": {"homePage": home_page, "name": REMOVED}}


def _is_one_of(value: dict[str, Any], keys: Collection[str]) -> bool:
    """Tell whether this is one of these agents or persons; in extensions it may be anything."""
    likely = find_likely_agent(value)
    return likely is not None and (
        find_person_key(likely) in keys or find_agent_key(likely) in keys
    )


def _rename(name: str, keys: Collection[str], home_page: str) -> str:
    if find_mail_key(name) not in keys:
        return name
    # The key of an extension is an IRI, and stays one.
    return f"{home_page.rstrip('/')}/{REMOVED}" if ":" in name else REMOVED
