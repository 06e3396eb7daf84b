"""The two faces of a check: what the quick one accepts, the explaining one never refuses."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.xapi.hostile.test_mutations import NAMES, VALUES, places
from tests.xapi.lrs import ACTIVITY, ACTOR, OTHER, VERB
from xapi.lrs import types, validate
from xapi.lrs.checks import NO, Check, Wrong, equal, object_of, of, typed
from xapi.lrs.compiled import Leaf

IRI = "http://example.test/x"
UID = "0b0fe8f5-2a86-4b3c-8f5e-d3a3a5b3b0c1"
GROUP = {"objectType": "Group", "name": "Both", "member": [ACTOR, OTHER]}
EXTENSIONS = {IRI: {"deep": [1, 2.5, None, {"a": [True]}]}}
DEFINED = {
    "objectType": "Activity",
    "id": IRI,
    "definition": {
        "name": {"en": "One", "zh-Hant-TW": "一"},
        "description": {"en-GB": "One"},
        "type": IRI,
        "moreInfo": IRI,
        "extensions": EXTENSIONS,
        "interactionType": "choice",
        "correctResponsesPattern": ["a[,]b"],
        "choices": [{"id": "a", "description": {"en": "A"}}, {"id": "b"}],
    },
}
REF = {"objectType": "StatementRef", "id": UID}
PARTS: dict[str, Any] = {
    "id": UID,
    "actor": {"objectType": "Agent", "name": "Leila", "mbox": "mailto:leila@example.test"},
    "verb": VERB,
    "object": DEFINED,
    "result": {
        "score": {"scaled": 0.5, "raw": 1, "min": 0, "max": 2},
        "success": True, "completion": False, "response": "a", "duration": "PT1.5S",
        "extensions": EXTENSIONS,
    },
    "context": {
        "registration": UID, "instructor": ACTOR, "team": GROUP, "revision": "1",
        "platform": "p", "language": "en", "statement": REF, "extensions": EXTENSIONS,
        "contextActivities": {"parent": [DEFINED], "grouping": ACTIVITY, "other": []},
    },
    "timestamp": "2026-11-23T10:00:00.123Z",
    "stored": "2026-11-23T10:00:00Z",
    "authority": {"objectType": "Group", "member": [ACTOR, OTHER]},
    "version": "1.0.3",
    "attachments": [
        {"usageType": IRI, "display": {"en": "x"}, "description": {"en": "x"}, "length": 3,
         "contentType": "text/plain", "sha2": "a" * 64, "fileUrl": IRI}
    ],
}  # fmt: skip
CONTEXT_2 = {
    "contextAgents": [{"objectType": "contextAgent", "agent": ACTOR, "relevantTypes": [IRI]}],
    "contextGroups": [{"objectType": "contextGroup", "group": GROUP, "relevantTypes": [IRI]}],
}
SUB = {
    "objectType": "SubStatement", "actor": GROUP, "verb": VERB, "object": REF,
    "result": PARTS["result"], "context": {"team": GROUP}, "timestamp": PARTS["timestamp"],
}  # fmt: skip
PLAIN = {name: PARTS[name] for name in ("actor", "verb")}
WHOLES = [
    PARTS,
    {**PARTS, "context": {**PARTS["context"], **CONTEXT_2}},
    {**PARTS, "actor": GROUP, "version": "2.0.0"},
    {**PLAIN, "object": SUB},
    {**PLAIN, "object": REF, "verb": {"id": validate.VOIDED}},
    {**PLAIN, "object": {**GROUP, "openid": IRI}},
    {**PLAIN, "object": {"objectType": "Agent", "mbox_sha1sum": "a" * 40}},
]


def fits(check: Check, value: Any) -> bool:
    """Tell whether the quick face says yes, and nothing else."""
    try:
        return bool(check.fits(value))
    except (*NO, Wrong):
        return False


def is_wrong(check: Check, value: Any) -> bool:
    """Tell whether the explaining face refuses."""
    try:
        check.explain(value)
    except Wrong:
        return True
    return False


@some.composite
def near(draw: some.DrawFn) -> dict[str, Any]:
    """A statement with up to four things changed in it, or none."""
    whole = copy.deepcopy(draw(some.sampled_from(WHOLES)))
    for _ in range(draw(some.integers(0, 4))):
        found = places(whole, [])
        if not found:
            break
        holder, key = draw(some.sampled_from(found))
        how = draw(some.sampled_from(["replace", "remove", "add", "move"]))
        if how == "replace":
            holder[key] = draw(VALUES)
        elif how == "remove":
            del holder[key]
        elif how == "add" and isinstance(holder, dict):
            holder[draw(some.one_of(NAMES, some.sampled_from(sorted(PARTS))))] = draw(VALUES)
        else:
            other, place = draw(some.sampled_from(found))
            holder[key] = copy.deepcopy(other[place]) if place in other else None
    return whole


near_or_not = some.one_of(near(), near(), near(), VALUES)


@pytest.mark.parametrize("version", [1, 2])
def test_what_fits_is_never_wrong(version: int) -> None:
    check, seen = validate.STATEMENT[version], {True: 0, False: 0}

    @settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
    @given(near_or_not)
    def hold(value: Any) -> None:
        quick = fits(check, value)
        seen[quick] += 1
        assert not (quick and is_wrong(check, value))

    hold()
    assert min(seen.values()) > 50, seen


@pytest.mark.parametrize(
    "check",
    [validate.actor, validate.agent, validate.group, validate.activity, validate.definition],
)
def test_what_fits_of_a_part_is_never_wrong(check: Check) -> None:
    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(near(), some.data())
    def hold(whole: dict[str, Any], data: some.DataObject) -> None:
        found = [holder[key] for holder, key in places(whole, [])] or [whole]
        value = data.draw(some.sampled_from(found))
        assert not (fits(check, value) and is_wrong(check, value))

    hold()


@pytest.mark.parametrize("whole", WHOLES)
def test_whole_statements_take_the_quick_way(whole: dict[str, Any]) -> None:
    """Nothing falls back on explaining that need not: that would be right, and slow."""
    two = "2.0" in whole.get("version", "") or "contextAgents" in whole.get("context", {})
    assert fits(validate.STATEMENT[2 if two else 1], whole)


def test_a_face_that_is_too_lenient_would_be_found() -> None:
    lenient = Check(lambda _value: True, typed(str, "a string").explain)
    check = object_of({"a": lenient}, ("a",))
    assert fits(check, {"a": 1})
    assert is_wrong(check, {"a": 1})


def test_an_object_has_what_it_must_and_nothing_else() -> None:
    number = of(lambda value: value > 0, "a number above 0", Leaf("{x} > {least}", {"least": 0}))
    check = object_of(
        {"kind": equal("K"), "on": typed(bool, "true or false"), "it's \\ {n}": number}, ("kind",)
    )
    assert fits(check, {"kind": "K"})
    assert fits(check, {"kind": "K", "on": False, "it's \\ {n}": 1})
    for wrong in (
        {}, [], None, "kind", {"kind": "k"}, {"kind": ["K"]}, {"kind": "K", "on": 1},
        {"kind": "K", "more": 1}, {"kind": "K", "it's \\ {n}": 0}, {"kind": "K", "it's \\ {n}": "1"},
    ):  # fmt: skip
        assert not fits(check, wrong), wrong
        with pytest.raises(Wrong):
            check(wrong)


@pytest.mark.parametrize(
    ("test", "known", "right"),
    [(types.is_iri, types.KNOWN_IRIS, "x:{}"), (types.is_language, types.KNOWN_LANGUAGES, "x-{}")],
)
def test_only_some_of_what_is_right_is_remembered(test: Any, known: set[str], right: str) -> None:
    for number in range(2 * types.REMEMBERED_MOST + 10):
        assert test(right.format(number))
        assert len(known) <= types.REMEMBERED_MOST
    assert right.format(number) in known
    assert not test("no, this is none")
    assert "no, this is none" not in known
    long = "x:" + "a" * types.REMEMBERED_CHARS
    test(long)
    assert long not in known
