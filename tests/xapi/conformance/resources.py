"""The three document resources, with the parameters that name one document of each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.xapi.lrs import ACTOR, Provider

AGENT = json.dumps(ACTOR)
ACTIVITY_ID = "http://example.test/activities/one"
STATE: dict[str, str] = {"activityId": ACTIVITY_ID, "agent": AGENT, "stateId": "place"}
AGENT_PROFILE: dict[str, str] = {"agent": AGENT, "profileId": "likes"}
ACTIVITY_PROFILE: dict[str, str] = {"activityId": ACTIVITY_ID, "profileId": "looks"}
RESOURCES = [
    ("activities/state", STATE),
    ("agents/profile", AGENT_PROFILE),
    ("activities/profile", ACTIVITY_PROFILE),
]
PROFILES = RESOURCES[1:]
every = pytest.mark.parametrize(("path", "names"), RESOURCES)
every_profile = pytest.mark.parametrize(("path", "names"), PROFILES)
versions = pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
NEW = {"If-None-Match": "*"}


def send(lrs: Provider, method: str, path: str, names: dict[str, str], **more: Any) -> TestResponse:
    """Ask for a document by its names."""
    return lrs.ask(method, path, query_string=names, **more)


def without(names: dict[str, str], *left: str) -> dict[str, str]:
    """Return the names but for some."""
    return {name: value for name, value in names.items() if name not in left}
