"""Statements that say everything the standard lets one say, and ways to change one place of them.

Data 2.4 (1.0.3) and 4.2.2 (IEEE 9274.1.1) are tables of properties. Here each property stands once
in a valid statement of each kind, so that a test can walk all of them: leave each out, give each
another type, add one that does not belong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

VERSIONS = (1, 2)
Path = tuple[str | int, ...]

_ACCOUNT = {"homePage": "http://example.test", "name": "leila"}
AGENT = {"objectType": "Agent", "name": "Leila Haddad", "account": _ACCOUNT}
MEMBERS = [
    {"name": "Leila", "mbox": "mailto:leila@example.test"},
    {"mbox_sha1sum": "a" * 40},
    {"openid": "http://leila.example.test/"},
]
GROUP = {
    "objectType": "Group",
    "name": "Night shift",
    "mbox": "mailto:night@example.test",
    "member": MEMBERS,
}
ANONYMOUS = {"objectType": "Group", "member": MEMBERS}
VERB = {"id": "http://example.test/verbs/did", "display": {"en-US": "did", "de": "tat"}}
EXTENSIONS = {"http://example.test/ext/x": {"deep": [1, None, "x"]}}
_COMPONENTS = [{"id": "a", "description": {"en": "A"}}, {"id": "b"}]


def activity(**definition: Any) -> dict[str, Any]:
    """Return an activity; definition: what its definition holds besides."""
    return {
        "objectType": "Activity",
        "id": "http://example.test/activities/one",
        "definition": {
            "name": {"en": "One"},
            "description": {"en": "The first"},
            "type": "http://example.test/types/thing",
            "moreInfo": "http://example.test/more",
            "extensions": EXTENSIONS,
            **definition,
        },
    }


REF = {"objectType": "StatementRef", "id": "0b0fe8f5-2a86-4b3c-8f5e-d3a3a5b3b0c1"}
RESULT = {
    "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10},
    "success": True,
    "completion": False,
    "response": "a[,]b",
    "duration": "P1DT2H3M4.5S",
    "extensions": EXTENSIONS,
}
ATTACHMENT = {
    "usageType": "http://example.test/usage",
    "display": {"en": "A file"},
    "description": {"en": "What it is for"},
    "contentType": "text/plain; charset=utf-8",
    "length": 3,
    "sha2": "ab" * 32,
    "fileUrl": "http://example.test/file",
}


def context(version: int, about_activity: bool = True) -> dict[str, Any]:
    """Return a context; revision and platform belong to activities alone (Data 2.4.6)."""
    whole: dict[str, Any] = {
        "registration": "ec531277-b57b-4c15-8d91-d292c5b2b8f7",
        "instructor": AGENT,
        "team": GROUP,
        "contextActivities": {
            "parent": [activity()],
            "grouping": [activity()],
            "category": [activity()],
            "other": [activity()],
        },
        "language": "zh-Hant-TW",
        "statement": REF,
        "extensions": EXTENSIONS,
    }
    if about_activity:
        whole |= {"revision": "3", "platform": "Ropes"}
    if version == 2:
        whole["contextAgents"] = [
            {
                "objectType": "contextAgent",
                "agent": AGENT,
                "relevantTypes": ["http://example.test/types/peer"],
            }
        ]
        whole["contextGroups"] = [
            {
                "objectType": "contextGroup",
                "group": GROUP,
                "relevantTypes": ["http://example.test/types/team"],
            }
        ]
    return whole


def _whole(version: int, target: dict[str, Any]) -> dict[str, Any]:
    about_activity = target.get("objectType") == "Activity"
    return {
        "actor": AGENT,
        "verb": VERB,
        "object": target,
        "result": RESULT,
        "context": context(version, about_activity),
        "timestamp": "2026-11-23T10:00:00.123Z",
        "attachments": [ATTACHMENT],
    }


def wholes(version: int) -> dict[str, dict[str, Any]]:
    """Return whole statements by the kind of their object."""
    objects = {
        "activity": activity(),
        "choice": activity(
            interactionType="choice", choices=_COMPONENTS, correctResponsesPattern=["a[,]b"]
        ),
        "sequencing": activity(interactionType="sequencing", choices=_COMPONENTS),
        "likert": activity(interactionType="likert", scale=_COMPONENTS),
        "matching": activity(interactionType="matching", source=_COMPONENTS, target=_COMPONENTS),
        "performance": activity(interactionType="performance", steps=_COMPONENTS),
        "agent": AGENT,
        "group": GROUP,
        "anonymous": ANONYMOUS,
        "ref": REF,
    }
    found = {kind: _whole(version, target) for kind, target in objects.items()}
    for kind in ("activity", "agent", "group", "ref"):
        inner = {"objectType": "SubStatement", **found[kind]}
        found[f"sub {kind}"] = _whole(version, inner)
    for whole in found.values():
        whole |= {
            "id": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee",
            "stored": "2026-11-23T10:00:00.123Z",
            "authority": AGENT,
            "version": "1.0.3" if version == 1 else "2.0.0",
        }
    return found


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every place of a statement and what stands there, but for what is in extensions."""
    if path:
        yield path, value
    if path and path[-1] == "extensions":
        return
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for name, one in inner:
        yield from walk(one, (*path, name))


def put(statement: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """Return a copy in which another value stands at a place."""
    changed = orjson.loads(orjson.dumps(statement))  # nothing stands in two places
    _holder(changed, path)[path[-1]] = value
    return changed


def drop(statement: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a copy without what stands at a place."""
    changed = orjson.loads(orjson.dumps(statement))  # nothing stands in two places
    del _holder(changed, path)[path[-1]]
    return changed


def _holder(statement: Any, path: Path) -> Any:
    for step in path[:-1]:
        statement = statement[step]
    return statement


def spell(path: Path) -> str:
    """Return a place as a refusal names it: `context.contextActivities.parent[0].id`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]
