"""What a statement names: its agents, activities, verb, registration and targets. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from xapi.lrs.keys import digest, find_agent_key, find_identifier
from xapi.lrs.mentions import mentions_of
from xapi.lrs.validate import VOIDED


@dataclass(slots=True)
class Parts:
    """The things a statement is found by.

    agents and activities: by key, how each looks here, and whether it is one that the plain
    filters look at (actor and object) and not only a related one.
    """

    verb: dict[str, Any]
    agents: dict[str, tuple[dict[str, Any], bool]] = field(default_factory=dict)
    activities: dict[str, tuple[dict[str, Any], bool]] = field(default_factory=dict)
    mentions: set[str] = field(default_factory=set)  # see `xapi.lrs.mentions`
    registration: str | None = None
    refers_to: str | None = None  # the statement that this one has as its object
    voids: bool = False


def parts_of(statement: dict[str, Any]) -> Parts:
    """Return what a valid statement names; its context activities are arrays already."""
    target = statement["object"]
    kind = target.get("objectType", "Activity")
    parts = Parts(statement["verb"])
    agents, activities = parts.agents, parts.activities
    # Who is both direct and related is direct: it is added first, and the first one stays.
    _add_agent(statement["actor"], True, agents)
    if kind == "Activity":
        activities[digest(target["id"])] = (target, True)
    elif kind in ("Agent", "Group"):
        _add_agent(target, True, agents)
    elif kind == "StatementRef":
        parts.refers_to = target["id"].lower()
        parts.voids = statement["verb"]["id"] == VOIDED
    else:
        _add_agent(target["actor"], False, agents)
        inner = target["object"]
        inner_kind = inner.get("objectType", "Activity")
        if inner_kind == "Activity":
            activities[digest(inner["id"])] = (inner, False)
        elif inner_kind in ("Agent", "Group"):
            _add_agent(inner, False, agents)
        if "context" in target:
            _add_context(target["context"], agents, activities)
    if "context" in statement:
        context = statement["context"]
        _add_context(context, agents, activities)
        if "registration" in context:
            parts.registration = context["registration"].lower()
    if "authority" in statement:
        _add_agent(statement["authority"], False, agents)
    parts.mentions = mentions_of(statement, (agent for agent, _ in agents.values()))
    return parts


def undefined(parts: Parts) -> Parts:
    """Return the same parts without what they are called: ids alone, as scopes may ask.

    For a caller without the scope `define` (1.0.3, Communication 4.0): its statements are kept as
    they came, and found by what they name, but change no definition and no name.
    """
    return replace(
        parts,
        verb={"id": parts.verb["id"]},
        agents={
            key: (find_identifier(agent) or {}, direct)
            for key, (agent, direct) in parts.agents.items()
        },
        activities={
            key: ({"id": activity["id"]}, direct)
            for key, (activity, direct) in parts.activities.items()
        },
    )


_Found = dict[str, tuple[dict[str, Any], bool]]


def _add_agent(agent: dict[str, Any], direct: bool, into: _Found) -> None:
    key = find_agent_key(agent)
    if key is not None:
        into.setdefault(key, (agent, direct))
    if "member" in agent:
        for member in agent["member"]:
            _add_agent(member, direct, into)


def _add_context(context: dict[str, Any], agents: _Found, activities: _Found) -> None:
    for name in ("instructor", "team"):
        if name in context:
            _add_agent(context[name], False, agents)
    for related in context.get("contextAgents", ()):
        _add_agent(related["agent"], False, agents)
    for related in context.get("contextGroups", ()):
        _add_agent(related["group"], False, agents)
    if "contextActivities" in context:
        for several in context["contextActivities"].values():
            for activity in several:
                activities.setdefault(digest(activity["id"]), (activity, False))


def arrange(statement: dict[str, Any]) -> None:
    """Make every list of context activities an array, as the standard returns them (Data 2.4.6.2)."""
    for holder in (statement, statement["object"]):
        context = holder.get("context")
        if context and "contextActivities" in context:
            related = context["contextActivities"]
            for name, value in related.items():
                if type(value) is dict:
                    related[name] = [value]
