"""The description of the HTTP interface says what there is: no more, no less."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

from tests.xapi.lrs import ACTIVITY, ACTOR, OTHER, Provider, statement
from xapi.lrs import statements
from xapi.lrs.described import describe
from xapi.lrs.errors import SENTENCE_MOST, Refused
from xapi.lrs.resources import ACTIVITY_PROFILES, AGENT_PROFILES, STATES, Resource
from xapi.lrs.validate import check_statement

METHODS = ("get", "head", "put", "post", "delete", "patch", "options", "trace")
FORM = {"method"}  # of the alternate syntax


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return describe()


def parameters(described: dict[str, Any], path: str, method: str) -> dict[str, dict[str, Any]]:
    """Return the query parameters of an operation by name."""
    found = {}
    item = described["paths"][path]
    for one in [*item.get("parameters", []), *item[method].get("parameters", [])]:
        if "$ref" in one:
            one = described["components"]["parameters"][one["$ref"].rpartition("/")[2]]
        if one["in"] == "query":
            found[one["name"]] = one
    return found


def test_it_is_openapi(described: dict[str, Any]) -> None:
    validate(described)


def test_it_is_served_to_anybody(app: Flask, described: dict[str, Any]) -> None:
    answer = app.test_client().get("/xapi/openapi.json")
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.json == described


def test_every_route_and_method(app: Flask, described: dict[str, Any]) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/xapi")), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("xapi_lrs.")
        for method in (rule.methods or set()) - {"OPTIONS"}
    }
    told = {
        (path, method)
        for path, item in described["paths"].items()
        for method in item
        if method in METHODS
    }
    assert told == routes


def test_the_parameters_of_statements(described: dict[str, Any]) -> None:
    told = set(parameters(described, "/statements", "get"))
    assert told == {*statements._FILTERS, *statements._SINGLE, "format", "attachments"}
    assert set(parameters(described, "/statements", "put")) == {"statementId"}
    assert set(parameters(described, "/statements", "post")) == FORM
    schema = parameters(described, "/statements", "get")["format"]["schema"]
    assert tuple(schema["enum"]) == statements._FORMATS


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/activities/state", STATES),
        ("/agents/profile", AGENT_PROFILES),
        ("/activities/profile", ACTIVITY_PROFILES),
    ],
)
def test_the_parameters_of_documents(
    described: dict[str, Any], path: str, resource: Resource
) -> None:
    named = {*resource.context, resource.name}
    assert set(parameters(described, path, "get")) == {*named, "since"}
    assert set(parameters(described, path, "put")) == named
    assert set(parameters(described, path, "post")) == named | FORM
    assert set(parameters(described, path, "delete")) == named
    assert parameters(described, path, "put")[resource.name]["required"]


def test_every_status_that_is_raised_is_told(described: dict[str, Any]) -> None:
    """Of each refusal that the package knows, some operation says that it may come."""
    told = {
        int(status)
        for item in described["paths"].values()
        for method in METHODS
        for status in item.get(method, {}).get("responses", {})
    }
    kinds = [Refused, *Refused.__subclasses__()]
    assert {kind.status for kind in kinds} <= told
    error = described["components"]["schemas"]["Error"]["properties"]["error"]
    assert error["maxLength"] == SENTENCE_MOST


def test_a_parameter_that_is_not_told_is_refused(app: Flask, described: dict[str, Any]) -> None:
    lrs = Provider(app)
    for path, item in described["paths"].items():
        if "security" in item["get"] or "{" in path:
            continue
        for method in METHODS:
            if method in item:
                answer = lrs.ask(method.upper(), path.lstrip("/"), query_string={"untold": "1"})
                assert answer.status_code == 400, (method, path)


def test_properties_of_statements_are_those_of_validation(described: dict[str, Any]) -> None:
    """Each property that is described is taken, and a statement may have no other."""
    schemas = described["components"]["schemas"]
    file = {
        "usageType": "http://example.test/u",
        "display": {"en": "a file"},
        "description": {"en": "a file"},
        "contentType": "text/plain",
        "length": 1,
        "sha2": "0" * 64,
        "fileUrl": "http://example.test/f",
    }
    extensions = {"http://example.test/e": [1]}
    related = dict.fromkeys(("parent", "grouping", "category", "other"), ACTIVITY)
    whole = statement(
        object={
            "objectType": "Activity",
            "id": ACTIVITY["id"],
            "definition": {
                "name": {"en": "One"},
                "description": {"en": "The first"},
                "type": "http://example.test/t",
                "moreInfo": "http://example.test/m",
                "extensions": extensions,
            },
        },
        result={
            "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10},
            "success": True,
            "completion": True,
            "response": "yes",
            "duration": "PT1S",
            "extensions": extensions,
        },
        context={
            "registration": statement()["id"],
            "instructor": OTHER,
            "team": {"objectType": "Group", "member": [ACTOR]},
            "contextActivities": related,
            "revision": "1",
            "platform": "Ropes",
            "language": "en-GB",
            "statement": {"objectType": "StatementRef", "id": statement()["id"]},
            "extensions": extensions,
        },
        timestamp="2026-11-23T10:00:00Z",
        stored="2026-11-23T10:00:00Z",
        authority=ACTOR,
        version="1.0.3",
        attachments=[file],
    )
    for version in (1, 2):
        check_statement(whole, version)
    assert set(schemas["Statement"]["properties"]) == set(whole)
    assert set(schemas["Result"]["properties"]) == set(whole["result"])
    assert set(schemas["Context"]["properties"]) == set(whole["context"])
    assert set(schemas["Attachment"]["properties"]) == set(file)
    assert set(schemas["Activity"]["properties"]) == set(whole["object"])
    definition = schemas["Activity"]["properties"]["definition"]["properties"]
    assert set(definition) == set(whole["object"]["definition"])
