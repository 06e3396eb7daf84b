"""What is a statement and what is not: every refusal names the property (xAPI 1.0.3, Data 2 and 4)."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as some

from tests.xapi.lrs import ACTIVITY, ACTOR, OTHER, VERB, statement
from xapi.lrs.compare import same
from xapi.lrs.credentials import SCOPES, list_all
from xapi.lrs.errors import Refused
from xapi.lrs.types import find_moment, is_duration, is_iri, is_language, is_timestamp
from xapi.lrs.validate import check_statement

GROUP = {"objectType": "Group", "member": [ACTOR]}
REF = {"objectType": "StatementRef", "id": "0b0fe8f5-2a86-4b3c-8f5e-d3a3a5b3b0c1"}
CHOICE = {
    "interactionType": "choice",
    "correctResponsesPattern": ["a[,]b"],
    "choices": [{"id": "a", "description": {"en": "A"}}, {"id": "b"}],
}
ATTACHED = {
    "usageType": "http://example.test/u",
    "display": {"en": "x"},
    "contentType": "text/plain; charset=utf-8",
    "length": 3,
    "sha2": "a" * 64,
}


@pytest.mark.parametrize(
    "parts",
    [
        {"actor": GROUP},
        {"actor": {**GROUP, "mbox": "mailto:team@example.test", "member": []}},
        {"actor": {"openid": "http://example.test/me"}},
        {"object": {"objectType": "Agent", **ACTOR}},
        {"object": REF},
        {"object": {**ACTIVITY, "definition": CHOICE}},
        {"object": {"objectType": "SubStatement", "actor": ACTOR, "verb": VERB, "object": REF}},
        {"result": {"score": {"scaled": -1, "raw": 0, "min": -1.5, "max": 10}}},
        {"result": {"duration": "P1DT2H3M4.5S", "extensions": {"http://e.test/x": None}}},
        {"context": {"contextActivities": {"parent": ACTIVITY, "other": [ACTIVITY]}}},
        {"context": {"team": GROUP, "language": "zh-Hant-TW", "statement": REF}},
        {"attachments": [ATTACHED]},
        {"timestamp": "2026-11-23T10:00:00,123456789+02"},
        {"version": "1.0.9"},
    ],
)
def test_these_are_statements(parts: dict[str, Any]) -> None:
    check_statement(statement(**parts), 1)
    if "timestamp" not in parts:
        check_statement(statement(**parts), 2)


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"actor": None}, "actor"),
        ({"verb": {"id": "did"}}, "verb.id"),
        ({"verb": {**VERB, "display": {"english!": "did"}}}, "verb.display.english!"),
        ({"id": "one"}, "id"),
        ({"extra": 1}, "extra"),
        ({"actor": {**ACTOR, **OTHER}}, "actor"),
        ({"actor": {"mbox": "leila@example.test"}}, "actor.mbox"),
        ({"actor": {"account": {"name": "x"}}}, "actor.account.homePage"),
        ({"actor": {"objectType": "Group"}}, "actor.member"),
        ({"actor": {"objectType": "Group", "member": [GROUP]}}, "actor.member[0].objectType"),
        ({"object": {**ACTOR}}, "object.mbox"),
        ({"object": {"objectType": "Thing", "id": "http://x.test/"}}, "object.objectType"),
        ({"object": {**ACTIVITY, "definition": {"choices": []}}}, "definition.interactionType"),
        (
            {"object": {**ACTIVITY, "definition": {**CHOICE, "scale": [{"id": "a"}]}}},
            "object.definition.scale",
        ),
        (
            {"object": {**ACTIVITY, "definition": {**CHOICE, "choices": [{"id": "a"}] * 2}}},
            "object.definition.choices",
        ),
        (
            {"object": {"objectType": "SubStatement", "actor": ACTOR, "verb": VERB}},
            "object.object",
        ),
        (
            {
                "object": {
                    "objectType": "SubStatement",
                    "actor": ACTOR,
                    "verb": VERB,
                    "object": {"objectType": "SubStatement"},
                }
            },
            "object.object.objectType",
        ),
        ({"result": {"success": "yes"}}, "result.success"),
        ({"result": {"score": {"scaled": True}}}, "result.score.scaled"),
        ({"result": {"score": {"min": 2, "max": 1}}}, "result.score.min"),
        ({"result": {"score": {"raw": 11, "max": 10}}}, "result.score.raw"),
        ({"result": {"duration": "3 hours"}}, "result.duration"),
        ({"result": {"extensions": {"try": 1}}}, "result.extensions.try"),
        ({"context": {"registration": 7}}, "context.registration"),
        ({"context": {"team": ACTOR}}, "context.team.objectType"),
        ({"context": {"contextActivities": {"parents": []}}}, "contextActivities.parents"),
        (
            {"context": {"contextActivities": {"parent": [ACTIVITY, {}]}}},
            "context.contextActivities.parent[1].id",
        ),
        ({"object": REF, "context": {"platform": "x"}}, "context.platform"),
        ({"attachments": [{**ATTACHED, "sha2": "x"}]}, "attachments[0].sha2"),
        ({"timestamp": "2026-11-23T10:00:00-00:00"}, "timestamp"),
        ({"timestamp": "2026-02-30T10:00:00Z"}, "timestamp"),
        ({"authority": {"objectType": "Group", "member": [ACTOR]}}, "authority"),
        ({"version": "2.0.0"}, "version"),
    ],
)
def test_these_are_not(parts: dict[str, Any], named: str) -> None:
    with pytest.raises(Refused) as raised:
        check_statement({**statement(), **parts}, 1)
    where = raised.value.message.partition(":")[0]
    assert where.endswith(named), raised.value.message


_json = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=12,
)
_places = some.sampled_from(
    ["id", "actor", "verb", "object", "result", "context", "timestamp", "attachments", "authority"]
)


@given(place=_places, value=_json)
def test_nothing_but_refused_is_raised(place: str, value: Any) -> None:
    for version in (1, 2):
        with suppress(Refused):
            check_statement({**statement(), place: value}, version)


@given(some.datetimes(timezones=some.timezones()))
def test_every_moment_that_is_written_is_read(moment: Any) -> None:
    text = moment.isoformat()
    if is_timestamp(text):
        assert find_moment(text) == moment.astimezone(dt.UTC)


@pytest.mark.parametrize("text", ["P", "PT", "P1", "1D", "P1DT", "PT1", "P1S", "", "P-1D"])
def test_durations_that_are_none(text: str) -> None:
    assert not is_duration(text)


@pytest.mark.parametrize("text", ["en", "de-AT", "zh-Hant-TW", "es-419", "sl-rozaj", "x-own"])
def test_languages(text: str) -> None:
    assert is_language(text)
    assert not is_language(text + "_")


@pytest.mark.parametrize("text", ["x", "http://a b", "//x.test", "", "a:b\n"])
def test_iris_that_are_none(text: str) -> None:
    assert not is_iri(text)


def test_what_does_not_count_does_not_count() -> None:
    one = statement(actor={**GROUP, "member": [ACTOR, OTHER]}, object={**ACTIVITY})
    other = {
        **one,
        "actor": {**GROUP, "member": [{"objectType": "Agent", **OTHER}, ACTOR]},
        "object": {**ACTIVITY, "definition": {"name": {"en": "One"}}, "objectType": "Activity"},
        "verb": {"id": VERB["id"], "display": {"de": "tat"}},
        "stored": "2026-11-23T10:00:00Z",
        "attachments": [ATTACHED],
    }
    assert same(one, other)
    precise = {**one, "result": {"duration": "PT1.234567S"}}
    assert same(precise, {**one, "result": {"duration": "PT1.239S"}})
    for change in (
        {"result": {"duration": "PT60S"}},
        {"context": {"platform": "x"}},
        {"actor": ACTOR},
        {"object": {"id": "http://example.test/activities/two"}},
    ):
        assert not same(one, {**other, **change})


def test_credentials_on_the_command_line(app: Flask) -> None:
    runner = app.test_cli_runner()
    made = runner.invoke(args=["lrs", "credential", "add", "Reporting", "--scope", SCOPES[2]])
    assert made.exit_code == 0, made.output
    words = dict(line.split(None, 1) for line in made.output.splitlines() if "  " in line)
    [kept] = list_all()
    assert kept.key == words["key"]
    assert words["secret"] not in (kept.secret_hash, kept.key)
    assert "Reporting" in runner.invoke(args=["lrs", "credential", "list"]).output
    assert runner.invoke(args=["lrs", "credential", "revoke", words["key"]]).exit_code == 0
    assert "revoked" in runner.invoke(args=["lrs", "credential", "list"]).output
    assert runner.invoke(args=["lrs", "credential", "revoke", words["key"]]).exit_code != 0
