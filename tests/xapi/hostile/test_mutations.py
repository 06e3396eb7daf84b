"""Valid statements, changed at random: refused in words, or kept as they came."""

from __future__ import annotations

import copy
import json
import uuid
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.xapi.lrs import ACTIVITY, ACTOR, OTHER, VERB, Provider, statement

GIVEN_BY_STORE = {"id", "stored", "authority", "version", "timestamp", "attachments"}
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "",
            "\0",
            "Group",
            "Agent",
            "SubStatement",
            "mailto:a@example.test",
            "http://example.test/x",
            "P1Y",
            "2026-11-23T10:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "en-GB",
            str(uuid.UUID(int=1)),
        ]
    ),
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXTS,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
NAMES = st.one_of(
    TEXTS,
    st.sampled_from(["objectType", "mbox", "account", "member", "id", "definition", "result"]),
)


def whole() -> dict[str, Any]:
    return statement(
        actor={"objectType": "Group", "member": [ACTOR, OTHER], "name": "Both"},
        verb=VERB,
        object={**ACTIVITY, "objectType": "Activity", "definition": {"name": {"en": "One"}}},
        result={"score": {"scaled": 0.5, "raw": 1, "min": 0, "max": 2}, "duration": "PT1S"},
        context={
            "registration": str(uuid.uuid4()),
            "contextActivities": {"parent": [ACTIVITY]},
            "extensions": {"http://example.test/e": {"deep": [1, 2.5, None]}},
        },
        timestamp="2026-11-23T10:00:00Z",
    )


def places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return every (holder, key or index) inside."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        found.append((value, key))
        if isinstance(value[key], dict | list):
            places(value[key], found)
    return found


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    changed = copy.deepcopy(whole())
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(places(changed, [])))
        how = draw(st.sampled_from(["replace", "remove", "add", "swap"]))
        if how == "replace":
            holder[key] = draw(VALUES)
        elif how == "remove":
            del holder[key]
        elif how == "add" and isinstance(holder, dict):
            holder[draw(NAMES)] = draw(VALUES)
        else:
            other, place = draw(st.sampled_from(places(changed, [])))
            holder[key] = copy.deepcopy(other[place])
        if not changed:
            break
    return changed


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_a_changed_statement_is_refused_or_kept_as_it_came(app: Flask, version: str) -> None:
    lrs = Provider(app, version=version)
    seen = {200: 0, 400: 0}

    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated())
    def check(sent: dict[str, Any]) -> None:
        if isinstance(sent.get("id"), str):  # each run another
            sent = {**sent, "id": str(uuid.uuid4())} if len(sent["id"]) == 36 else sent
        answer = lrs.ask("POST", data=json.dumps(sent).encode(), content_type="application/json")
        assert answer.status_code in (200, 400), (answer.status_code, answer.text)
        seen[answer.status_code] += 1
        if answer.status_code == 400:
            assert answer.json["error"]
            return
        [own] = answer.json
        query = {"statementId": own}
        if lrs.ask("GET", query_string=query).status_code == 404:
            query = {"voidedStatementId": own}
        got = lrs.ask("GET", query_string=query).json
        kept = {name: value for name, value in got.items() if name not in GIVEN_BY_STORE}
        context = sent.get("context", {}).get("contextActivities", {})
        for name, value in context.items():  # arrays always (Data 2.4.6.2)
            context[name] = value if isinstance(value, list) else [value]
        assert kept == {name: value for name, value in sent.items() if name not in GIVEN_BY_STORE}

    check()
    assert seen[200] > 10
    assert seen[400] > 10
