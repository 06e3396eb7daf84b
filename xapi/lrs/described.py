"""The HTTP interface, described in OpenAPI 3.1: written by hand in `openapi.yaml`, served as JSON."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson
import yaml
from flask import Response

from lms.people.access import Who, allow
from xapi.lrs.views import blueprint, json_answer

SOURCE = Path(__file__).parent / "openapi.yaml"


@blueprint.get("/openapi.json")
@allow(Who.PUBLIC, reason="it says what the source says, and nothing of this installation")
def described() -> Response:
    """Describe the interface to programs."""
    response = json_answer(_text())
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def describe() -> dict[str, Any]:
    """Return the description; HEAD is written nowhere, since it goes with every GET."""
    whole: dict[str, Any] = yaml.safe_load(SOURCE.read_text())
    for path in whole["paths"].values():
        if "get" in path:
            path["head"] = _head_of(path["get"])
    return whole


def _head_of(get: dict[str, Any]) -> dict[str, Any]:
    answers = {
        status: {"description": "As of GET, without its body"} for status in get["responses"]
    }
    return {**get, "operationId": f"{get['operationId']}.head", "responses": answers}


@cache
def _text() -> bytes:
    return orjson.dumps(describe())
