"""Validation of statements: tables of properties, compiled to checks once, for 1.0.x and for 2.0.

Pure. `check_statement` turns what a check says into a sentence that names the property
(`context.registration: ...`). Sources: xAPI 1.0.3 Data 2 and 4; IEEE 9274.1.1
section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xapi.lrs import types
from xapi.lrs.checks import (
    Check,
    Wrong,
    array_of,
    by_kind,
    choice,
    equal,
    object_of,
    of,
    rule,
)
from xapi.lrs.compiled import Leaf
from xapi.lrs.errors import Refused
from xapi.lrs.values import (
    boolean,
    duration,
    extensions,
    filled,
    iri,
    language,
    language_map,
    number,
    string,
    uuid,
)

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
INTERACTION_LISTS = {
    "choice": ("choices",),
    "sequencing": ("choices",),
    "likert": ("scale",),
    "matching": ("source", "target"),
    "performance": ("steps",),
    "true-false": (),
    "fill-in": (),
    "long-fill-in": (),
    "numeric": (),
    "other": (),
}
_LISTS = ("choices", "scale", "source", "target", "steps")
_INTERACTION = frozenset((*_LISTS, "correctResponsesPattern"))


# Agents and groups (Data 2.4.2).


def _count_identifiers(value: dict[str, Any]) -> int:
    return (
        ("account" in value) + ("mbox" in value) + ("mbox_sha1sum" in value) + ("openid" in value)
    )


def _one_identifier(value: dict[str, Any]) -> None:
    if _count_identifiers(value) != 1:
        raise Wrong("needs exactly one of mbox, mbox_sha1sum, openid and account")


def _group_identity(value: dict[str, Any]) -> None:
    found = _count_identifiers(value)
    if found > 1:
        raise Wrong("may have only one of mbox, mbox_sha1sum, openid and account")
    if not found and "member" not in value:
        raise Wrong("is required of a group without an identifier", "member")


_identity: dict[str, Check] = {
    "name": string,
    "mbox": of(types.is_mailto, "a mailto IRI with one address"),
    "mbox_sha1sum": of(types.is_sha1, "a hex SHA-1"),
    "openid": iri,
    "account": object_of({"homePage": iri, "name": filled}, ("homePage", "name")),
}
agent: Check = object_of({"objectType": equal("Agent"), **_identity}, after=_one_identifier)
group: Check = object_of(
    {"objectType": equal("Group"), **_identity, "member": array_of(agent)},
    ("objectType",),
    after=_group_identity,
)


actor: Check = by_kind(
    {"Agent": agent, "Group": group},
    "Agent",
    lambda value: group if type(value) is dict and value.get("objectType") == "Group" else agent,
)


def _authority(value: Any) -> None:
    """Check an authority: an agent, or the two members of a three-legged OAuth (Data 2.4.9)."""
    actor(value)
    if value.get("objectType") == "Group" and (
        any(name in value for name in IDENTIFIERS) or len(value.get("member", ())) != 2
    ):
        raise Wrong("a group as authority has exactly two members and no identifier")


# Verbs and activities (Data 2.4.3, 2.4.4).

_verb = object_of({"id": iri, "display": language_map}, ("id",))


def _each_component(value: Any) -> None:
    _component_list(value)
    ids = [component["id"] for component in value]
    if len(set(ids)) != len(ids):
        raise Wrong("ids must be distinct")


_component_list = array_of(object_of({"id": filled, "description": language_map}, ("id",)))
_components = rule(_each_component)


def _interaction(value: dict[str, Any]) -> None:
    kind = value.get("interactionType")
    if kind is None:
        if not _INTERACTION.isdisjoint(value):
            raise Wrong("is required of an interaction", "interactionType")
        return
    allowed = INTERACTION_LISTS[kind]
    for name in _LISTS:
        if name in value and name not in allowed:
            raise Wrong(f"does not belong to an interaction of type {kind}", name)


definition: Check = object_of(
    {
        "name": language_map,
        "description": language_map,
        "type": iri,
        "moreInfo": iri,
        "extensions": extensions,
        "interactionType": of(
            INTERACTION_LISTS.__contains__,
            "one of " + ", ".join(sorted(INTERACTION_LISTS)),
        ),
        "correctResponsesPattern": array_of(string),
        **dict.fromkeys(_LISTS, _components),
    },
    after=_interaction,
)
activity: Check = object_of(
    {"objectType": equal("Activity"), "id": iri, "definition": definition}, ("id",)
)
_statement_ref = object_of({"objectType": equal("StatementRef"), "id": uuid}, ("objectType", "id"))


# Results (Data 2.4.5).


def _score_range(value: dict[str, Any]) -> None:
    low, high, raw = value.get("min"), value.get("max"), value.get("raw")
    if low is not None and high is not None and low >= high:
        raise Wrong("must be less than max", "min")
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        raise Wrong("must lie between min and max", "raw")


_result = object_of(
    {
        "score": object_of(
            {
                "scaled": of(
                    lambda value: types.is_exact_number(value) and -1 <= value <= 1,
                    "between -1 and 1",
                ),
                "raw": number,
                "min": number,
                "max": number,
            },
            after=_score_range,
        ),
        "success": boolean,
        "completion": boolean,
        "response": string,
        "duration": duration,
        "extensions": extensions,
    }
)


# Contexts (Data 2.4.6; 9274.1.1, 4.2.2.5).


_activity_list = array_of(activity)


_activities = choice(
    lambda value: _activity_list if type(value) is list else activity,
    lambda value: _activity_list.fits if type(value) is list else activity.fits,
)


_context_properties: dict[str, Check] = {
    "registration": uuid,
    "instructor": actor,
    "team": group,
    "contextActivities": object_of(
        dict.fromkeys(("parent", "grouping", "category", "other"), _activities)
    ),
    "revision": string,
    "platform": string,
    "language": language,
    "statement": _statement_ref,
    "extensions": extensions,
}
_relevant_types = array_of(iri, at_least=1)


def _related(kind: str, inner: Check) -> Check:
    """Return the check of contextAgents (kind: agent) or contextGroups (kind: group)."""
    properties = {
        "objectType": equal(f"context{kind.title()}"),
        kind: inner,
        "relevantTypes": _relevant_types,
    }
    return array_of(object_of(properties, ("objectType", kind)))


_context_properties_2: dict[str, Check] = {
    **_context_properties,
    "contextAgents": _related("agent", agent),
    "contextGroups": _related("group", group),
}


# Attachments (Data 2.4.11).

_attachments = array_of(
    object_of(
        {
            "usageType": iri,
            "display": language_map,
            "description": language_map,
            "contentType": of(types.is_media_type, "an internet media type"),
            "length": of(
                lambda value: type(value) is int and 0 <= value < 2**63, "a number of bytes"
            ),
            "sha2": of(types.is_sha2, "a hex SHA-2"),
            "fileUrl": iri,
        },
        ("usageType", "display", "contentType", "length", "sha2"),
    )
)


# Statements.


def _whole(value: dict[str, Any]) -> None:
    target = value["object"]
    kind = target.get("objectType", "Activity")
    if value["verb"]["id"] == VOIDED and kind != "StatementRef":
        raise Wrong("a voiding statement names a statement (StatementRef)", "object")
    context = value.get("context")
    if context and kind != "Activity":
        for name in ("revision", "platform"):
            if name in context:
                raise Wrong("is only for statements about an activity", name, "context")


def _moment(test: Callable[[Any], bool], what: str) -> Check:
    usual = types.USUAL_TIMESTAMP
    return of(
        lambda value: usual(value) or test(value),
        what,
        Leaf("{usual}({x}) or {test}({x})", {"usual": usual, "test": test}),
    )


def _compile(version: int) -> Check:
    timestamp = (
        _moment(types.is_timestamp, "an ISO 8601 timestamp")
        if version == 1
        else _moment(types.is_rfc3339, "an RFC 3339 timestamp")
    )
    context = object_of(_context_properties if version == 1 else _context_properties_2)
    common: dict[str, Check] = {
        "actor": actor,
        "verb": _verb,
        "result": _result,
        "context": context,
        "timestamp": timestamp,
        "attachments": _attachments,
    }
    plain_objects: dict[str, Check] = {
        "Activity": activity,
        "Agent": agent,
        "Group": group,
        "StatementRef": _statement_ref,
    }
    sub_statement = object_of(
        {**common, "objectType": equal("SubStatement"), "object": _choose(plain_objects)},
        ("objectType", "actor", "verb", "object"),
        after=_whole,
    )
    return object_of(
        {
            **common,
            "id": uuid,
            "object": _choose({**plain_objects, "SubStatement": sub_statement}),
            "stored": timestamp,
            "authority": rule(_authority),
            "version": of(types.is_version_1, "1.0.x")
            if version == 1
            else of(types.is_version_2, "2.0.x"),
        },
        ("actor", "verb", "object"),
        after=_whole,
    )


def _choose(kinds: Mapping[str, Check]) -> Check:
    def by_object_type(value: Any) -> Check:
        if type(value) is not dict:
            raise Wrong("must be an object")
        kind = value.get("objectType", "Activity")
        found = kinds.get(kind) if type(kind) is str else None
        if found is None:
            raise Wrong("must be one of " + ", ".join(sorted(kinds)), "objectType")
        return found

    return by_kind(kinds, "Activity", by_object_type)


STATEMENT: dict[int, Check] = {1: _compile(1), 2: _compile(2)}


def check_statement(value: Any, version: int, path: str = "") -> None:
    """Raise Refused unless `value` is a statement of that major version (1 or 2) as received."""
    _judge(STATEMENT[version], value, path)


def check_agent(value: Any, path: str) -> None:
    """Raise Refused unless `value` is an agent or a group; `path` names the parameter."""
    _judge(actor, value, path)


def _judge(check: Check, value: Any, path: str) -> None:
    try:
        check(value)
    except Wrong as wrong:
        where = ".".join(part for part in (path, wrong.path()) if part)
        raise Refused(f"{where or 'statement'}: {wrong.what}") from None
