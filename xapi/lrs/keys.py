"""Keys: what an agent, an activity or a verb is found by, whatever it looks like. Pure."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

REMEMBERED_CHARS = 300  # of a longer text nothing is kept in memory


def digest(text: str) -> str:
    """Return a key of fixed length for an identifier of any length."""
    return _remembered(text) if len(text) <= REMEMBERED_CHARS else _digest(text)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


_remembered = lru_cache(maxsize=10_000)(_digest)


def find_identifier(agent: dict[str, Any]) -> dict[str, Any] | None:
    """Return the one identifying property of an agent or group, or None for an anonymous group."""
    for name in ("account", "mbox", "mbox_sha1sum", "openid"):
        if name in agent:
            return {name: agent[name]}
    return None


def find_agent_key(agent: dict[str, Any]) -> str | None:
    """Return the key under which the LRS knows this agent or group, or None for an anonymous one.

    The domain of a mail address is case-insensitive (Data 2.4.2.3); all else is compared as it is.
    """
    if "account" in agent:
        account = agent["account"]
        return digest(f"account {account['homePage']} {account['name']}")
    if "mbox" in agent:
        local, _, domain = agent["mbox"].partition("@")
        return digest(f"mbox {local}@{domain.lower()}")
    for name in ("mbox_sha1sum", "openid"):
        if name in agent:
            return digest(f"{name} {agent[name]}")
    return None


def find_person_key(agent: dict[str, Any]) -> str | None:
    """Return a key that is one for all ways of writing a mail address, or None as above.

    To the standard `Ada@example.com` and `ada@example.com` are two agents; in any company they are
    one person, who is to be found where somebody asks what is held of them. Of other identifiers it
    is the agent's own key.
    """
    for name in ("mbox", "mbox_sha1sum"):
        if name in agent and "account" not in agent:
            return find_agent_key({name: agent[name].lower()})
    return find_agent_key(agent)
