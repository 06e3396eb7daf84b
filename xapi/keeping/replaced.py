"""A person taken out of a statement that is somebody else's. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from xapi.build import REMOVED
from xapi.lrs.multipart import attachments_of
from xapi.lrs.parts import find_agent_key
from xapi.lrs.signatures import USAGE_TYPE


def is_theirs(statement: Mapping[str, Any], keys: Collection[str]) -> bool:
    """Tell whether a statement says what one of these agents did, or what was done to them.

    keys: as `xapi.lrs.parts.find_agent_key` gives them. A group of which they are a member did it
    as a group: that is not theirs alone.
    """
    target = statement["object"]
    named = [statement["actor"]]
    if target.get("objectType") in ("Agent", "Group"):
        named.append(target)
    return any(find_agent_key(one) in keys for one in named)


def is_signed(statement: Mapping[str, Any]) -> bool:
    """Tell whether a signature is attached: a changed copy of the statement would belie it."""
    return any(one.get("usageType") == USAGE_TYPE for one in attachments_of(statement))


def replace(value: Any, keys: Collection[str], home_page: str) -> Any:
    """Return a statement, or a part of one, that names nobody in the place of these agents.

    Wherever they stand, in extensions too. What is said about them in words is not found.
    """
    if isinstance(value, list):
        return [replace(one, keys, home_page) for one in value]
    if not isinstance(value, dict):
        return value
    whole = {name: replace(one, keys, home_page) for name, one in value.items()}
    if _key(value) not in keys:
        return whole
    kept = {name: whole[name] for name in ("objectType", "member") if name in whole}
    return {**kept, "account": {"homePage": home_page, "name": REMOVED}}


def _key(value: dict[str, Any]) -> str | None:
    """Return the key of what may be an agent; None for anything else that extensions may hold."""
    try:
        return find_agent_key(value)
    except (AttributeError, KeyError, TypeError):
        return None
