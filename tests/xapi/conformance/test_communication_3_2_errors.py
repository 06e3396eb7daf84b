"""What is too large (xAPI 1.0.3, Communication 3.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.xapi.lrs import ACTOR, Provider
from xapi.lrs import documents

AGENT = json.dumps(ACTOR)


ACTIVITY_ID = "http://example.test/activities/one"


STATE: dict[str, str] = {"activityId": ACTIVITY_ID, "agent": AGENT, "stateId": "place"}


def send(lrs: Provider, method: str, path: str, names: dict[str, str], **more: Any) -> TestResponse:
    return lrs.ask(method, path, query_string=names, **more)


def test_a_document_has_a_most_size(lrs: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """3.2: 413 for more than is taken, by a merge too."""
    monkeypatch.setattr(documents, "DOCUMENT_MOST", 20)
    assert send(lrs, "POST", "activities/state", STATE, json={"a": 1}).status_code == 204
    assert send(lrs, "POST", "activities/state", STATE, json={"b": "1234567890"}).status_code == 413
    assert send(lrs, "GET", "activities/state", STATE).json == {"a": 1}
