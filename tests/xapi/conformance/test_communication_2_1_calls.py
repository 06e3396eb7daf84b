"""What may be asked of the statement resource, a line each (xAPI 1.0.3, Communication 1 and 2.1)."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.xapi.conformance.resources import RESOURCES, send, versions
from tests.xapi.lrs import ACTIVITY, ACTOR, VERB, Provider, attachment, multipart, statement

VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}
REGISTRATION = "ec531277-b57b-4c15-8d91-d292c5b2b8f7"
HELD = "0b0fe8f5-2a86-4b3c-8f5e-d3a3a5b3b0c1"
GONE = "7c3a1f52-93a5-4d6e-8a77-5a0f0c7a9d11"
# Each parameter of GET with a value that finds the one statement held; 2.1.3, the table.
FILTERS = {
    "agent": json.dumps(ACTOR),
    "verb": VERB["id"],
    "activity": ACTIVITY["id"],
    "registration": REGISTRATION,
    "related_activities": "true",
    "related_agents": "true",
    "since": "2020-01-01T00:00:00Z",
    "until": "2100-01-01T00:00:00Z",
    "limit": "1",
    "ascending": "true",
}
FORMS = {"format": "exact", "attachments": "false"}
# Each parameter with values that are none of its kind.
WRONG = {
    "agent": ["", "{", "[]", "1", "null", '"x"', "{}", '{"mbox": 1}'],
    "verb": ["", "did", "/did", "a b:c"],
    "activity": ["", "one", "//example.test/one"],
    "registration": ["", "one", REGISTRATION[:-1]],
    "related_activities": ["", "1", "True", "yes"],
    "related_agents": ["", "1", "True", "yes"],
    "since": ["", "yesterday", "2026-13-01T00:00:00Z", "1790000000"],
    "until": ["", "yesterday", "2026-02-30T00:00:00Z"],
    "limit": ["", "-1", "1.5", "many", "\u0661", "1000000000"],
    "ascending": ["", "1", "True", "yes"],
    "format": ["", "Exact", "short"],
    "attachments": ["", "1", "True", "yes"],
}
NOTHING = {
    "agent": '{"mbox": "mailto:nobody@example.test"}',
    "verb": "http://example.test/verbs/unheard-of",
    "activity": "http://example.test/activities/unheard-of",
    "registration": "aaaaaaaa-b57b-4c15-8d91-d292c5b2b8f7",
    "since": "2100-01-01T00:00:00Z",
    "until": "2020-01-01T00:00:00Z",
}

# What is sent, and the status; the two that are taken come last, the second is the same again.
STORING: list[tuple[str, dict[str, str], Any, int]] = [
    ("PUT", {}, statement(), 400),
    ("PUT", {"statementId": "one"}, statement(), 400),
    ("PUT", {"statementId": HELD}, [statement(id=HELD)], 400),
    ("PUT", {"statementId": HELD}, "x", 400),
    ("PUT", {"statementId": HELD}, statement(id=GONE), 400),
    ("PUT", {"statementId": HELD}, statement(id=1), 400),
    ("PUT", {"statementId": HELD, "limit": "1"}, statement(id=HELD), 400),
    ("PUT", {"StatementId": HELD}, statement(id=HELD), 400),
    ("POST", {"statementId": HELD}, statement(id=HELD), 400),
    ("POST", {"limit": "1"}, statement(), 400),
    ("POST", {}, "x", 400),
    ("POST", {}, None, 400),
    ("POST", {}, [[statement()]], 400),
    ("POST", {}, [statement(id=HELD), statement(id=HELD.upper())], 400),
    ("DELETE", {"statementId": HELD}, None, 405),
    ("PATCH", {}, statement(), 405),
    ("PUT", {"statementId": HELD.upper()}, statement(id=HELD), 204),
    ("PUT", {"statementId": HELD}, statement(id=None), 204),
]


@pytest.fixture
def held(lrs: Provider) -> Provider:
    """A store that holds one statement with an attachment, and one voided."""
    content = b"a signature"
    file = attachment(content)
    one = statement(id=HELD, context={"registration": REGISTRATION}, attachments=[file])
    body, content_type = multipart(one, (file["sha2"], content))
    assert lrs.ask("POST", data=body, content_type=content_type).status_code == 200
    lrs.post(statement(id=GONE, actor={"mbox": "mailto:other@example.test"}))
    void = statement(verb=VOIDED, object={"objectType": "StatementRef", "id": GONE})
    lrs.post({**void, "actor": {"mbox": "mailto:other@example.test"}})
    return lrs


def get(lrs: Provider, version: str = "1.0.3", **query: str) -> TestResponse:
    headers = {"X-Experience-API-Version": version}
    return lrs.ask("GET", query_string=query, headers=headers)


@versions
def test_each_parameter_is_known_by_itself_and_with_all_others(
    held: Provider, version: str
) -> None:
    for name, value in FILTERS.items():
        answer = get(held, version, **{name: value})
        assert answer.status_code == 200, name
        assert answer.content_type == "application/json"
        assert answer.headers["X-Experience-API-Version"] == version
        assert answer.headers["X-Experience-API-Consistent-Through"]
        assert answer.headers["Last-Modified"].endswith(" GMT")
        found = [one["id"] for one in answer.json["statements"]]
        assert (HELD in found) is (name != "limit"), name
        assert (answer.json["more"] == "") is (name != "limit"), name
    assert len(get(held, version, limit="999999999").json["statements"]) == 2
    assert len(get(held, version, limit="0").json["statements"]) == 2
    whole = get(held, version, **FILTERS, **FORMS)
    assert [one["id"] for one in whole.json["statements"]] == [HELD]


@versions
def test_finding_nothing_is_no_error(held: Provider, version: str) -> None:
    for name, value in NOTHING.items():
        answer = get(held, version, **{name: value})
        assert (answer.status_code, answer.json) == (200, {"statements": [], "more": ""}), name


@versions
def test_a_value_of_another_kind_is_400_and_named(held: Provider, version: str) -> None:
    for name, value in [(name, value) for name, values in WRONG.items() for value in values]:
        answer = get(held, version, **{name: value})
        assert answer.status_code == 400, value
        assert name in answer.json["error"], value


@versions
def test_parameters_of_another_case_or_name_are_400(held: Provider, version: str) -> None:
    for name, value in {**FILTERS, **FORMS, "statementId": HELD, "voidedStatementId": GONE}.items():
        for other in (name.title(), name.upper(), f"{name}s"):
            answer = get(held, version, **{other: value})
            assert answer.status_code == 400, other
            assert other in answer.json["error"]
    assert held.ask("GET", query_string=[("limit", "1"), ("limit", "2")]).status_code == 400


@versions
@pytest.mark.parametrize("single", ["statementId", "voidedStatementId"])
def test_one_statement_goes_with_format_and_attachments_only(
    held: Provider, single: str, version: str
) -> None:
    wanted = HELD if single == "statementId" else GONE
    for name, value in FILTERS.items():
        answer = get(held, version, **{single: wanted, name: value})
        assert answer.status_code == 400, name
        assert name in answer.json["error"]
    for more in ({}, *({name: value} for name, value in FORMS.items()), FORMS):
        answer = get(held, version, **{single: wanted.upper(), **more})
        assert (answer.status_code, answer.json["id"]) == (200, wanted)
        assert answer.content_type == "application/json"
        assert answer.headers["Last-Modified"]
        assert answer.headers["X-Experience-API-Consistent-Through"]
    other = "voidedStatementId" if single == "statementId" else "statementId"
    assert get(held, version, **{other: wanted}).status_code == 404
    assert get(held, version, **{single: str(uuid.uuid4())}).status_code == 404
    for wrong in ("", "one", wanted[:-1]):
        assert get(held, version, **{single: wrong}).status_code == 400


def test_attachments_come_when_they_are_asked_for(held: Provider) -> None:
    for query in ({}, {"statementId": HELD}):
        raw = get(held, attachments="true", **query)
        assert raw.content_type.startswith("multipart/mixed; boundary=")
        assert raw.data.count(b"a signature") == 1
        assert get(held, attachments="false", **query).content_type == "application/json"
    assert get(held, attachments="true", statementId=HELD, limit="1").status_code == 400


@versions
def test_storing(app: Flask, version: str) -> None:
    """2.1.1 and 2.1.2; what is refused is not stored, and what is taken is there alone."""
    lrs = Provider(app, version=version)
    for method, query, body, status in STORING:
        answer = lrs.ask(method, query_string=query, json=body)
        assert answer.status_code == status, (method, query, body, answer.text)
        assert lrs.find() == ([HELD] if status == 204 else []), (method, query, body)


@versions
def test_what_the_store_sets_and_what_it_keeps(app: Flask, version: str) -> None:
    """Data 2.4.7 to 2.4.10, 2.2 (numbers), 4.5: the future is fine, milliseconds and floats stay."""
    lrs = Provider(app, version=version)
    sent = statement(
        timestamp="2100-01-01T10:00:00.123Z",
        stored="2001-01-01T00:00:00Z",
        result={
            "score": {"raw": 3.4028234663852886e38, "min": -0.1},
            "response": "\u00e9\U0001f600",
        },
    )
    lrs.post(sent)
    [kept] = lrs.find_statements()
    assert kept["timestamp"].startswith("2100-01-01T10:00:00.123")
    assert kept["stored"] > "2001-01-01T00:00:00Z"
    assert kept["result"] == sent["result"]
    assert kept["version"] == ("1.0.0" if version == "1.0.3" else "2.0.0")
    assert kept["authority"]["account"]["name"]
    assert "id" in lrs.find_statements(limit=1)[0]
    named = lrs.post(statement(id=None))
    assert [str(uuid.UUID(one)) for one in named] == named


@versions
def test_head_is_get_on_every_resource(app: Flask, version: str) -> None:
    """1.1: the same status and headers, and no body."""
    lrs = Provider(app, version=version)
    lrs.post(statement(id=HELD))
    for path, names in RESOURCES:
        send(lrs, "POST", path, names, json={"a": 1})
    calls = [
        ("statements", {}),
        ("statements", {"statementId": HELD}),
        ("statements", {"statementId": GONE}),
        ("statements", {"limit": "x"}),
        ("activities", {"activityId": ACTIVITY["id"]}),
        ("agents", {"agent": json.dumps(ACTOR)}),
        ("agents", {"agent": "{"}),
        ("about", {}),
        *RESOURCES,
        *(
            (path, {k: v for k, v in names.items() if k not in ("stateId", "profileId")})
            for path, names in RESOURCES
        ),
    ]
    moving = {
        "X-Experience-API-Consistent-Through",
        "Date",
        "Content-Security-Policy",
    }  # a nonce is new each time
    for path, query in calls:
        head = lrs.ask("HEAD", path, query_string=query)
        get_ = lrs.ask("GET", path, query_string=query)
        assert (head.status_code, head.data) == (get_.status_code, b""), (path, query)
        for name in {*head.headers.keys(), *get_.headers.keys()} - moving:
            assert head.headers.get(name) == get_.headers.get(name), (path, name)


def test_the_alternate_syntax_of_statements(lrs: Provider) -> None:
    """1.3: each method, with only `method` in the address; content is what would be the body."""

    def form(method: str, **fields: str) -> TestResponse:
        return lrs.ask("POST", query_string={"method": method}, data=fields)

    sent = statement(id=HELD)
    assert form("PUT", statementId=HELD, content=json.dumps(sent)).status_code == 204
    assert form("POST", content=json.dumps([statement(id=GONE)])).json == [GONE]
    assert form("GET", statementId=HELD).json["id"] == HELD
    assert form("get", limit="1").json["more"]
    head = form("HEAD", statementId=HELD)
    assert (head.status_code, head.headers["Last-Modified"]) == (
        200,
        form("GET", statementId=HELD).headers["Last-Modified"],
    )
    for method, fields in (
        ("DELETE", {"statementId": HELD}),
        ("PATCH", {"content": json.dumps(sent)}),
        ("POST", {}),
        ("POST", {"Content": json.dumps(statement())}),
        ("PUT", {"content": json.dumps(statement())}),
        ("GET", {"StatementId": HELD}),
    ):
        assert form(method, **fields).status_code == 400, (method, fields)
    assert sorted(lrs.find()) == sorted([HELD, GONE])


def test_only_post_speaks_the_alternate_syntax(held: Provider) -> None:
    for method in ("GET", "HEAD", "PUT"):
        answer = held.ask(method, query_string={"method": "GET"}, data={"limit": "1"})
        assert answer.status_code == 400


def test_an_address_that_was_changed_leads_nowhere(held: Provider) -> None:
    further = get(held, limit="1").json["more"]
    assert held.ask("GET", further).status_code == 200
    for wrong in (f"{further}!", f"{further[:-4]}!{further[-4:]}", further[:-3]):
        assert held.ask("GET", wrong).status_code == 404
