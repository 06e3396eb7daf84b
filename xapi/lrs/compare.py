"""Are two statements the same? By the standard's rules (xAPI 1.0.3, Data 2.3.1). Pure.

What an LRS may assign or return differently does not count: id, authority, stored, timestamp's
writing, version, definitions of activities, display of verbs, order of group members, attachments,
an objectType that is the default, a single context activity in or out of an array.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from xapi.lrs.types import find_moment

# "Any precision beyond 0.01 second shall not be included" (Data 4.6).
_BEYOND_HUNDREDTHS = re.compile(r"(\.\d\d)\d+S")


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two statements are the same, their timestamps too where both have one.

    An LRS sets the timestamp of a statement that came without, so that a missing one differs from
    nothing. Numbers are compared by value: other LRSs write 1.0 as 1 (but true is no number).
    """
    if not _alike(_statement(one), _statement(other)):
        return False
    return same_moment(one.get("timestamp"), other.get("timestamp"))


def same_moment(one: str | None, other: str | None) -> bool:
    """Tell whether two timestamps mean one moment; a missing one fits any."""
    if one is None or other is None or one == other:
        return True
    return find_moment(one) == find_moment(other)


def _alike(one: Any, other: Any) -> bool:
    """Compare JSON values; Python by itself takes true for 1."""
    if type(one) is dict and type(other) is dict:
        return one.keys() == other.keys() and all(
            _alike(value, other[name]) for name, value in one.items()
        )
    if type(one) is list and type(other) is list:
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other) and (type(one) is bool) == (type(other) is bool)


def _statement(statement: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "actor": _agent(statement["actor"]),
        "verb": statement["verb"]["id"],
        "object": _object(statement["object"]),
    }
    if "result" in statement:
        plain["result"] = result = statement["result"]
        duration = result.get("duration")
        if duration is not None and "." in duration:
            plain["result"] = {**result, "duration": _BEYOND_HUNDREDTHS.sub(r"\1S", duration)}
    if statement.get("context"):
        plain["context"] = _context(statement["context"])
    return plain


def _agent(agent: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in agent.items() if name not in ("objectType", "member")}
    if "mbox" in plain:
        local, _, domain = plain["mbox"].partition("@")
        plain["mbox"] = f"{local}@{domain.lower()}"
    if agent.get("objectType") == "Group":
        plain["objectType"] = "Group"
        if "member" in agent:
            members = [_agent(member) for member in agent["member"]]
            plain["member"] = sorted(
                members, key=lambda one: orjson.dumps(one, option=orjson.OPT_SORT_KEYS)
            )
    return plain


def _object(target: dict[str, Any]) -> dict[str, Any]:
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        return {"id": target["id"]}
    if kind in ("Agent", "Group"):
        return {"agent": _agent(target)}
    if kind == "StatementRef":
        return {"ref": target["id"].lower()}
    inner = _statement(target)
    if "timestamp" in target:
        moment = find_moment(target["timestamp"])
        inner["timestamp"] = moment.isoformat() if moment else target["timestamp"]
    return {"sub": inner}


def _context(context: dict[str, Any]) -> dict[str, Any]:
    plain = dict(context)
    for name in ("instructor", "team"):
        if name in plain:
            plain[name] = _agent(plain[name])
    for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in plain:
            plain[name] = [{**one, inner: _agent(one[inner])} for one in plain[name]]
    if "registration" in plain:
        plain["registration"] = plain["registration"].lower()
    if "statement" in plain:
        plain["statement"] = plain["statement"]["id"].lower()
    if "contextActivities" in plain:
        plain["contextActivities"] = {
            name: [one["id"] for one in (value if isinstance(value, list) else [value])]
            for name, value in plain["contextActivities"].items()
        }
    return plain
