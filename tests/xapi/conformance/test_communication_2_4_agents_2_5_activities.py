"""The agents and activities resources (xAPI 1.0.3, Communication 2.4 and 2.5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.xapi.lrs import ACTIVITY, ACTOR, OTHER, Provider, statement


@pytest.mark.parametrize("agent", [ACTOR, OTHER])
def test_a_person_has_lists_of_what_is_known(lrs: Provider, agent: dict[str, Any]) -> None:
    """2.4: a Person of this agent's identifier and name, and of nobody else's."""
    lrs.post(
        [statement(actor={**agent, "name": "Leila"}), statement(actor={"mbox": "mailto:x@y.z"})]
    )
    answer = lrs.ask("GET", "agents", query_string={"agent": json.dumps(agent)})
    [(name, value)] = agent.items()
    assert answer.json == {"objectType": "Person", "name": ["Leila"], name: [value]}
    assert lrs.ask("HEAD", "agents", query_string={"agent": json.dumps(agent)}).data == b""


def test_an_agent_never_heard_of_is_a_person_all_the_same(lrs: Provider) -> None:
    """2.4: what is answered where nothing is known."""
    answer = lrs.ask("GET", "agents", query_string={"agent": json.dumps(ACTOR)})
    assert answer.json == {"objectType": "Person", "mbox": [ACTOR["mbox"]]}


@pytest.mark.parametrize(
    "agent",
    ["", "{", "[]", "{}", '{"mbox": 1}', '{"objectType": "Group", "mbox": "mailto:a@b.c"}'],
)
def test_only_one_agent_can_be_asked_about(lrs: Provider, agent: str) -> None:
    """2.4: anything else is 400 and names the parameter."""
    answer = lrs.ask("GET", "agents", query_string={"agent": agent})
    assert answer.status_code == 400
    assert "agent" in answer.json["error"]
    assert lrs.ask("GET", "agents").status_code == 400


def test_an_activity_is_whole(lrs: Provider) -> None:
    """2.5: the definition merged from all statements, in every language."""
    for language, name in (("en", "One"), ("de", "Eins")):
        lrs.post(statement(object={**ACTIVITY, "definition": {"name": {language: name}}}))
    answer = lrs.ask("GET", "activities", query_string={"activityId": ACTIVITY["id"]})
    assert answer.json == {
        "objectType": "Activity",
        "id": ACTIVITY["id"],
        "definition": {"name": {"en": "One", "de": "Eins"}},
    }
    unknown = "http://example.test/activities/unheard"
    other = lrs.ask("GET", "activities", query_string={"activityId": unknown})
    assert other.json == {"objectType": "Activity", "id": unknown}
    for wrong in ({}, {"activityId": "none"}, {"activityId": unknown, "x": "1"}):
        assert lrs.ask("GET", "activities", query_string=wrong).status_code == 400
