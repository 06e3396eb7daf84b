"""What a statement names: its agents, activities, verb, registration and targets. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from xapi.lrs.validate import VOIDED


@dataclass(slots=True)
class Parts:
    """The things a statement is found by; agents and activities map their key to how they look.

    direct_*: those that the plain filters look at (actor and object); related_*: all others.
    """

    verb: dict[str, Any]
    direct_agents: dict[str, dict[str, Any]] = field(default_factory=dict)
    related_agents: dict[str, dict[str, Any]] = field(default_factory=dict)
    direct_activities: dict[str, dict[str, Any]] = field(default_factory=dict)
    related_activities: dict[str, dict[str, Any]] = field(default_factory=dict)
    registration: str | None = None
    refers_to: str | None = None  # the statement that this one has as its object
    voids: bool = False


def digest(text: str) -> str:
    """Return a key of fixed length for an identifier of any length."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


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


def parts_of(statement: dict[str, Any]) -> Parts:
    """Return what a valid statement names; its context activities are arrays already."""
    target = statement["object"]
    kind = target.get("objectType", "Activity")
    parts = Parts(verb=statement["verb"])
    _add_agent(statement["actor"], parts.direct_agents)
    if kind == "Activity":
        parts.direct_activities[digest(target["id"])] = target
    elif kind in ("Agent", "Group"):
        _add_agent(target, parts.direct_agents)
    elif kind == "StatementRef":
        parts.refers_to = target["id"].lower()
        parts.voids = statement["verb"]["id"] == VOIDED
    else:
        _add_agent(target["actor"], parts.related_agents)
        inner = target["object"]
        inner_kind = inner.get("objectType", "Activity")
        if inner_kind == "Activity":
            parts.related_activities[digest(inner["id"])] = inner
        elif inner_kind in ("Agent", "Group"):
            _add_agent(inner, parts.related_agents)
        _add_context(target.get("context"), parts)
    context = statement.get("context")
    if context is not None:
        _add_context(context, parts)
        registration = context.get("registration")
        parts.registration = None if registration is None else registration.lower()
    if "authority" in statement:
        _add_agent(statement["authority"], parts.related_agents)
    for key in parts.direct_agents:
        parts.related_agents.pop(key, None)
    for key in parts.direct_activities:
        parts.related_activities.pop(key, None)
    return parts


def _add_agent(agent: dict[str, Any], into: dict[str, dict[str, Any]]) -> None:
    key = find_agent_key(agent)
    if key is not None:
        into[key] = agent
    for member in agent.get("member", ()):
        _add_agent(member, into)


def _add_context(context: dict[str, Any] | None, parts: Parts) -> None:
    if not context:
        return
    for name in ("instructor", "team"):
        if name in context:
            _add_agent(context[name], parts.related_agents)
    for related in context.get("contextAgents", ()):
        _add_agent(related["agent"], parts.related_agents)
    for related in context.get("contextGroups", ()):
        _add_agent(related["group"], parts.related_agents)
    for activities in context.get("contextActivities", {}).values():
        for activity in activities:
            parts.related_activities.setdefault(digest(activity["id"]), activity)


def arrange(statement: dict[str, Any]) -> None:
    """Make every list of context activities an array, as the standard returns them (Data 2.4.6.2)."""
    for holder in (statement, statement["object"]):
        context = holder.get("context")
        if context and "contextActivities" in context:
            related = context["contextActivities"]
            for name, value in related.items():
                if type(value) is dict:
                    related[name] = [value]
