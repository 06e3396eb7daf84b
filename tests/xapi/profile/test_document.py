"""The document against xAPI Profiles 1.0 (part two), rule by rule, and where it is served."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.xapi.profile import publish
from xapi import vocabulary
from xapi.build import our_profile
from xapi.lrs.types import is_iri
from xapi.profile import document
from xapi.profile.jsonpath import ways
from xapi.text import to_plain

PROFILES = {name: orjson.loads(document.published(name)) for name, _ in document.VERSIONS}
PROFILE = PROFILES[vocabulary.ROPES_VERSION]
PARTS = [*PROFILE["concepts"], *PROFILE["templates"], *PROFILE["patterns"]]
HOW = {"sequence", "alternates", "optional", "oneOrMore", "zeroOrMore"}

# Properties of each object, those that it must have, and those that it may (6.0 to 9.0).
COMMON = {"id", "type", "inScheme", "prefLabel", "definition"}
PROPERTIES: dict[str, tuple[set[str], set[str]]] = {
    "Profile": (
        {"id", "@context", "type", "conformsTo", "prefLabel", "definition", "versions", "author"},
        {"seeAlso", "concepts", "templates", "patterns"},
    ),
    "Organization": ({"type", "name"}, {"url"}),
    "ContextExtension": (
        COMMON,
        {"deprecated", "recommendedVerbs", "context", "schema", "inlineSchema"},
    ),
    "StatementTemplate": (
        COMMON,
        {
            "deprecated",
            "verb",
            "objectActivityType",
            "contextGroupingActivityType",
            "contextParentActivityType",
            "contextOtherActivityType",
            "contextCategoryActivityType",
            "attachmentUsageType",
            "objectStatementRefTemplate",
            "contextStatementRefTemplate",
            "rules",
        },
    ),
    "Pattern": (
        {"id", "type", "inScheme"},
        {"primary", "prefLabel", "definition", "deprecated", *HOW},
    ),
}
RULE = ({"location"}, {"selector", "presence", "any", "all", "none", "scopeNote"})


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in the document that has a type."""
    if isinstance(value, dict):
        if "type" in value:
            yield value
        for child in value.values():
            yield from objects(child)
    elif isinstance(value, list):
        for child in value:
            yield from objects(child)


def nothings(value: Any) -> bool:
    if isinstance(value, dict):
        return not value or any(map(nothings, value.values()))
    if isinstance(value, list):
        return not value or any(map(nothings, value))
    return value is None or value == ""


def test_what_is_published_is_what_the_data_says() -> None:
    """Else: `python -m tests.xapi.profile.publish`, in a new version if this one was released."""
    assert document.published(vocabulary.ROPES_VERSION) == document.to_text(document.build())


def test_the_page_says_what_the_data_says() -> None:
    written = publish.PAGE.read_text()
    assert publish.page(written) == written
    for one in PARTS:
        assert one["id"].rpartition("/")[2] in written


def test_every_object_has_its_properties_and_no_others() -> None:
    for one in objects(PROFILE):
        required, optional = PROPERTIES[one["type"]]
        assert required <= one.keys() <= required | optional, one["id"]
    for template in PROFILE["templates"]:
        for rule in template["rules"]:
            assert RULE[0] <= rule.keys() <= RULE[0] | RULE[1]
            assert rule.keys() & {"presence", "any", "all", "none"}
            assert rule.get("presence") in {"included", "excluded", "recommended", None}
            assert ways(rule["location"])


def test_nothing_is_empty_or_null() -> None:
    assert not nothings(PROFILE)


def test_the_profile_says_which_specification_it_conforms_to() -> None:
    assert PROFILE["@context"] == "https://w3id.org/xapi/profiles/context"
    assert PROFILE["conformsTo"] == "https://w3id.org/xapi/profiles#1.0"
    assert PROFILE["id"] == vocabulary.ROPES


def test_ids_are_iris_and_each_is_given_once() -> None:
    versions = [one["id"] for one in PROFILE["versions"]]
    ids = [PROFILE["id"], *versions, *(one["id"] for one in PARTS)]
    assert len(set(ids)) == len(ids)
    assert all(is_iri(one) for one in ids)
    assert {one["inScheme"] for one in PARTS} == {vocabulary.ROPES_VERSION_IRI}
    assert versions[0] == vocabulary.ROPES_VERSION_IRI


def test_versions_name_what_they_follow() -> None:
    for name, profile in PROFILES.items():
        rows = profile["versions"]
        assert rows[0]["id"] == f"{vocabulary.ROPES}#{name}"
        assert "wasRevisionOf" not in rows[-1]
        for newer, older in pairwise(rows):
            assert newer["wasRevisionOf"] == [older["id"]]
            assert newer["generatedAtTime"] > older["generatedAtTime"]


def test_no_id_says_two_things_in_two_versions() -> None:
    """8.0 and 9.0: whoever changes what is asked for gives it another id."""
    said: dict[str, dict[str, Any]] = {}
    for profile in PROFILES.values():
        for one in (*profile["templates"], *profile["patterns"]):
            kept = {
                k: v for k, v in one.items() if k not in {"inScheme", "prefLabel", "definition"}
            }
            kept["rules"] = [
                {k: v for k, v in rule.items() if k != "scopeNote"} for rule in one.get("rules", ())
            ]
            text = orjson.dumps(kept).replace(
                profile["versions"][0]["id"].encode(), b"this version"
            )
            assert said.setdefault(one["id"], text) == text, one["id"]


def test_templates_refer_to_what_there_is() -> None:
    known = {value for value in vars(vocabulary).values() if isinstance(value, str)}
    verbs = {one.iri for one in vars(vocabulary).values() if isinstance(one, vocabulary.VerbTerm)}
    templates = {one["id"] for one in PROFILE["templates"]}
    for one in PROFILE["templates"]:
        assert one["verb"] in verbs
        assert not ("objectStatementRefTemplate" in one and "objectActivityType" in one)
        assert set(one.get("objectStatementRefTemplate", ())) <= templates - {one["id"]}
        for name in ("contextParentActivityType", "contextGroupingActivityType"):
            assert set(one.get(name, ())) <= known
        assert one.get("objectActivityType", vocabulary.COURSE) in known


def test_concepts_are_our_own_and_say_what_they_hold() -> None:
    for one in PROFILE["concepts"]:
        assert one["id"].startswith(vocabulary.ROPES)
        schema = orjson.loads(one["inlineSchema"])  # a text, not an object (7.2)
        assert re.match(schema["pattern"], "0" * 64)
    used = {
        location for t in PROFILE["templates"] for r in t["rules"] for location in [r["location"]]
    }
    for one in PROFILE["concepts"]:
        assert any(one["id"] in location for location in used)


def test_patterns_are_made_as_the_specification_wants() -> None:
    patterns = {one["id"]: one for one in PROFILE["patterns"]}
    templates = {one["id"] for one in PROFILE["templates"]}
    used: set[str] = set()

    def inside(pattern_id: str, above: tuple[str, ...] = ()) -> None:
        assert pattern_id not in above, "a pattern within itself"
        pattern = patterns[pattern_id]
        [how] = HOW & pattern.keys()
        elements = pattern[how] if isinstance(pattern[how], list) else [pattern[how]]
        for element in elements:
            assert element in patterns or element in templates
            if how == "alternates" and element in patterns:
                assert not {"optional", "zeroOrMore"} & patterns[element].keys()
            used.add(element)
            if element in patterns:
                inside(element, (*above, pattern_id))
        if how == "alternates":
            assert len(elements) >= 2
        if how == "sequence" and len(elements) < 2:
            assert pattern["primary"]
            assert elements[0] in templates

    for pattern_id, pattern in patterns.items():
        if pattern["primary"]:
            assert {"prefLabel", "definition"} <= pattern.keys()
            inside(pattern_id)
    not_primary = {key for key, one in patterns.items() if not one["primary"]}
    assert used == templates | not_primary  # every statement follows one, and none stands idle


@pytest.fixture
def anybody(app: Flask) -> FlaskClient:
    return app.test_client()


def test_anybody_reads_it_and_keeps_it(anybody: FlaskClient) -> None:
    newest, first = anybody.get("/xapi/profile"), anybody.get("/xapi/profile/v1")
    for answer in (newest, first):
        assert answer.status_code == 200
        assert answer.content_type == "application/ld+json"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Cookie" not in answer.headers.get("Vary", "")
        assert "Set-Cookie" not in answer.headers
        again = anybody.get(answer.request.path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    assert newest.json["versions"][0]["id"] == vocabulary.ROPES_VERSION_IRI
    assert newest.headers["Cache-Control"] == "public, max-age=3600"
    assert first.headers["Cache-Control"] == "public, max-age=31536000"
    assert first.data == document.published("v1")
    assert anybody.head("/xapi/profile").status_code == 200


def test_other_versions_there_are_none(anybody: FlaskClient) -> None:
    for name in ("v0", "v99", "..", "__init__.py", "v1.jsonld"):
        assert anybody.get(f"/xapi/profile/{name}").status_code == 404


def test_statements_lead_to_it(app: Flask, anybody: FlaskClient) -> None:
    category = to_plain(our_profile())
    assert category["id"] == vocabulary.ROPES_VERSION_IRI
    address = category["definition"]["moreInfo"]
    assert address == "http://localhost/xapi/profile/v1"
    found = anybody.get(address.removeprefix("http://localhost"))
    assert found.json["versions"][0]["id"] == category["id"]
