"""What holds for every object (xAPI 1.0.3, Data 2.2; IEEE 9274.1.1, 4.2.1).

Every place of statements that say everything is changed, one at a time.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import func, select

from lms.db import db
from tests.xapi.conformance.whole import VERSIONS, Path, drop, put, spell, walk, wholes
from tests.xapi.lrs import Provider, statement
from xapi.lrs.errors import Refused
from xapi.lrs.models import LrsStatement
from xapi.lrs.validate import check_statement

both = pytest.mark.parametrize("version", VERSIONS)

# What a statement, and each object in it, cannot be without; all else may be left out. By the last
# steps of the place: numbers are left away.
REQUIRED = {
    ("actor",),
    ("verb",),
    ("object",),
    ("object", "actor"),
    ("object", "verb"),
    ("object", "object"),
    ("verb", "id"),
    ("account", "homePage"),
    ("account", "name"),
    ("statement", "objectType"),
    ("statement", "id"),
    ("team", "objectType"),
    ("choices", "id"),
    ("scale", "id"),
    ("source", "id"),
    ("target", "id"),
    ("steps", "id"),
    ("parent", "id"),
    ("grouping", "id"),
    ("category", "id"),
    ("other", "id"),
    ("contextAgents", "objectType"),
    ("contextAgents", "agent"),
    ("contextGroups", "objectType"),
    ("contextGroups", "group"),
    ("group", "objectType"),
    ("attachments", "usageType"),
    ("attachments", "display"),
    ("attachments", "contentType"),
    ("attachments", "length"),
    ("attachments", "sha2"),
}
_IDENTIFIERS = ("account", "mbox", "mbox_sha1sum", "openid")
OTHER_TYPES: dict[type, tuple[Any, ...]] = {
    str: (1, True, {}, [], ["x"]),
    bool: ("true", 1, 0, {}, []),
    int: ("1", True, {}, []),
    float: ("1", True, {}, []),
    dict: ("x", 1, True, [], [{}]),
    list: ("x", 1, True, {}),
}


def is_required(whole: dict[str, Any], path: Path) -> bool:
    """Tell whether the standard requires what stands at a place of this statement."""
    names = tuple(step for step in path if isinstance(step, str))
    if isinstance(path[-1], int):
        return names[-1] == "relevantTypes"  # of which there is one here
    if any(names[-len(one) :] == one for one in REQUIRED if len(one) > 1) or names in REQUIRED:
        return True
    holder: Any = whole
    for step in path[:-1]:
        holder = holder[step]
    if names[-1] in _IDENTIFIERS:  # the only one: a group may have members instead
        return "member" not in holder
    kind = holder.get("objectType") if names[-2:-1] == ("object",) or len(path) == 1 else None
    if names[-1] == "objectType":
        return kind in ("Agent", "Group", "StatementRef", "SubStatement")
    if names[-1] == "id":
        return kind in ("Activity", "StatementRef")
    if names[-1] == "member":
        return not any(name in holder for name in _IDENTIFIERS)
    return names[-1] == "interactionType" and any(
        name in holder for name in ("choices", "scale", "source", "target", "steps")
    )


def refusal(changed: Any, version: int) -> str | None:
    """Return where a statement is said to be wrong, or None where it is taken."""
    try:
        check_statement(changed, version)
    except Refused as refused:
        return refused.message.partition(":")[0]
    return None


@both
def test_what_says_everything_is_taken(version: int) -> None:
    assert {kind: refusal(one, version) for kind, one in wholes(version).items()} == dict.fromkeys(
        wholes(version)
    )


@both
def test_what_is_required_is_required_and_nothing_else(version: int) -> None:
    """2.4: the column "Required" of every table."""
    wrong, count = [], 0
    for kind, whole in wholes(version).items():
        for path, _ in walk(whole):
            count += 1
            found = refusal(drop(whole, path), version)
            if (found is not None) is not is_required(whole, path):
                wrong.append(f"{kind}: {spell(path)} left out: {found or 'taken'}")
    assert wrong == []
    assert count > 1000


@both
def test_another_type_is_refused_everywhere(version: int) -> None:
    """2.2: "rejects Statements with any property with a type other than that defined"; no null."""
    wrong, count = [], 0
    for kind, whole in wholes(version).items():
        for path, value in walk(whole):
            for other in (None, *OTHER_TYPES[type(value)]):
                if path[-1] == "extensions" and other == {}:
                    continue
                count += 1
                found = refusal(put(whole, path, other), version)
                if found is None or not found.startswith(spell(path).rpartition(".")[0]):
                    wrong.append(f"{kind}: {spell(path)} = {other!r}: {found or 'taken'}")
    assert wrong == []
    assert count > 5000


@both
def test_what_does_not_belong_is_refused_everywhere(version: int) -> None:
    """2.2: no property of another name, and names as they are written: `Actor` is none."""
    wrong, count = [], 0
    maps = {"display", "name", "description", "extensions"}
    for kind, whole in wholes(version).items():
        for path, value in [((), whole), *walk(whole)]:
            if not isinstance(value, dict) or (path and path[-1] in maps):
                continue
            names = ["iri", "Id", "name ", *(name.upper() for name in value)]
            for name in names:
                count += 1
                found = refusal(put(whole, (*path, name), "x"), version)
                if found is None:
                    wrong.append(f"{kind}: {spell((*path, name))}: taken")
    assert wrong == []
    assert count > 1000


@both
def test_empty_texts_are_no_iris_and_no_ids(version: int) -> None:
    """2.2: "rejects Statements containing IRL or IRI values without a scheme"."""
    wrong = []
    iris = {"moreInfo", "type", "usageType", "fileUrl", "homePage", "openid", "relevantTypes"}
    for kind, whole in wholes(version).items():
        for path, value in walk(whole):
            last = [step for step in path if isinstance(step, str)][-1]
            if isinstance(value, str) and (last in iris or (last == "id" and ":" in value)):
                wrong += [
                    f"{kind}: {spell(path)} = {other!r}"
                    for other in ("", "x", "/x", "//x.test", "http://a b", "x y:z")
                    if refusal(put(whole, path, other), version) is None
                ]
    assert wrong == []


@both
def test_extensions_hold_whatever_they_like(version: int) -> None:
    """2.2: nulls, empty values and any depth stand in extensions alone (4.1)."""
    for whole in wholes(version).values():
        for path, _ in walk(whole):
            if path[-1] == "extensions":
                for value in ({}, {"http://e.test/x": None}, {"urn:x:y": [[], {}, "", 0.5]}):
                    assert refusal(put(whole, path, value), version) is None, path
                for value in ({"x": 1}, {"": 1}, {"http://a b": 1}):
                    assert refusal(put(whole, path, value), version) is not None, path


def stored_count() -> int:
    return db.session.scalar(select(func.count()).select_from(LrsStatement)) or 0


def test_extensions_are_as_deep_as_can_be_written_again(lrs: Provider) -> None:
    def deep(levels: int, inner: str, outer: str) -> dict[str, object]:
        extensions = {"http://example.test/e": json.loads(inner * levels + "1" + outer * levels)}
        return statement(context={"extensions": extensions})

    lrs.post([deep(90, '{"a":', "}"), deep(90, "[", "]")])
    for inner, outer in (('{"a":', "}"), ("[", "]")):
        answer = lrs.post(deep(300, inner, outer), status=400)
        assert "nested deeper" in str(answer)
    assert stored_count() == 2
