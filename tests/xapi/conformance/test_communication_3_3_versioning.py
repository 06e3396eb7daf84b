"""Both versions, chosen by the header (xAPI 1.0.3, Communication 3.3; IEEE 9274.1.1, 4.1.5)."""

from __future__ import annotations

import json
import uuid

import pytest
from flask import Flask

from tests.xapi.lrs import OTHER, Provider, statement


def test_versions(app: Flask, lrs: Provider) -> None:
    assert lrs.ask("GET", headers={"X-Experience-API-Version": "1.0"}).status_code == 200
    for wrong in ("0.95", "1.1", "3.0.0", "one"):
        assert lrs.ask("GET", headers={"X-Experience-API-Version": wrong}).status_code == 400
    newer = lrs.ask("GET", headers={"X-Experience-API-Version": "2.0.0"})
    assert newer.headers["X-Experience-API-Version"] == "2.0.0"
    about = app.test_client().get("/xapi/about")
    assert about.json["version"][:2] == ["2.0.0", "1.0.3"]


def test_2_0_keeps_moments_in_utc_and_knows_context_agents(app: Flask) -> None:
    lrs = Provider(app, version="2.0.0")
    sent = statement(
        timestamp="2026-11-23T10:00:00.5+02:00",
        context={
            "contextAgents": [
                {
                    "objectType": "contextAgent",
                    "agent": OTHER,
                    "relevantTypes": ["http://example.test/types/peer"],
                }
            ]
        },
    )
    lrs.post(sent)
    [kept] = lrs.find_statements(agent=json.dumps(OTHER), related_agents="true")
    assert kept["timestamp"] == "2026-11-23T08:00:00.500000Z"
    assert kept["version"] == "2.0.0"
    older = Provider(app)
    older.post({**sent, "id": str(uuid.uuid4())}, status=400)
    lrs.post(statement(timestamp="20261123T100000Z"), status=400)


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_a_call_without_a_version_is_refused_in_its_callers_own(
    app: Flask, method: str, version: str
) -> None:
    """1.0.3, Communication 3.3; 2.0, 4.1.5: refused, by a version that the caller speaks."""
    provider = Provider(app, version=version)
    del provider.headers["X-Experience-API-Version"]
    told = statement()
    query = {"statementId": told["id"]} if method == "PUT" else {}
    answer = provider.ask(method, query_string=query, **({} if method == "GET" else {"json": told}))
    assert answer.status_code == 400, answer.text
    assert answer.json["error"].startswith("X-Experience-API-Version: ")
    assert answer.headers.getlist("X-Experience-API-Version") == [version]
    del provider.headers["Authorization"]
    answer = provider.ask("GET")
    assert (answer.status_code, answer.headers["X-Experience-API-Version"]) == (400, "1.0.3")
