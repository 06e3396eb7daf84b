"""HEAD, headers and the alternate request syntax (xAPI 1.0.3, Communication 1.1 to 1.3)."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from tests.xapi.conformance.resources import NEW, every, send
from tests.xapi.lrs import Provider, statement


def test_alternate_request_syntax(lrs: Provider) -> None:
    sent = statement()
    form = {
        "Authorization": lrs.headers["Authorization"],
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
        "statementId": sent["id"],
        "content": json.dumps(sent),
    }
    bare = lrs.client.post("/xapi/statements?method=PUT", data=form)
    assert bare.status_code == 204
    del form["content"]
    answer = lrs.client.post("/xapi/statements?method=GET", data=form)
    assert answer.json["id"] == sent["id"]
    extra = lrs.client.post("/xapi/statements?method=GET&limit=1", data=form)
    assert extra.status_code == 400
    newer = lrs.ask(
        "POST",
        "statements?method=GET",
        data={"limit": "1"},
        headers={"X-Experience-API-Version": "2.0.0"},
    )
    assert newer.status_code == 400


def test_head_is_get_without_a_body(lrs: Provider) -> None:
    lrs.post(statement())
    head, get = lrs.ask("HEAD"), lrs.ask("GET")
    assert head.status_code == 200
    assert head.data == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert "X-Experience-API-Consistent-Through" in head.headers


@every
def test_the_alternate_syntax_reaches_every_method(
    lrs: Provider, path: str, names: dict[str, str]
) -> None:
    """1.3: POST with ?method= and a form is the call that it spells."""

    def form(method: str, **fields: str) -> TestResponse:
        return lrs.ask(
            "POST",
            path,
            query_string={"method": method},
            data=urlencode({**names, **fields}),
            content_type="application/x-www-form-urlencoded",
        )

    fields = {"content": '{"a": 1}', "Content-Type": "application/json", "If-None-Match": "*"}
    assert form("PUT", **fields).status_code == 204
    assert form("PUT", **fields).status_code == 412
    assert form("POST", content='{"b": 2}').status_code == 204
    assert form("GET").json == {"a": 1, "b": 2}
    assert form("DELETE").status_code == 204
    assert form("GET").status_code == 404
    hostile = form("PUT", **{**fields, "Content-Type": "text/html\r\nX-Own: 1"})
    assert hostile.status_code == 400
    assert hostile.json["error"].startswith("Content-Type:")


def test_a_form_cannot_ask_for_2_0(lrs: Provider) -> None:
    """9274.1.1 dropped the alternate syntax: a version of 2.0 among the fields is refused, too."""
    form = {"Authorization": lrs.headers["Authorization"], "X-Experience-API-Version": "2.0.0"}
    answer = lrs.client.post("/xapi/statements?method=GET", data=form)
    assert answer.status_code == 400
    assert "2.0" in answer.json["error"]


@every
def test_ids_of_documents_have_a_most_length(
    lrs: Provider, path: str, names: dict[str, str]
) -> None:
    """1.3: at most 2,000 characters, which every web server takes in an address."""
    single = "stateId" if "stateId" in names else "profileId"
    for length, status in ((2000, 204), (2001, 400)):
        named = {**names, single: "x" * length}
        assert send(lrs, "PUT", path, named, json={}, headers=NEW).status_code == status


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("agents", {"agent": json.dumps({"mbox": "mailto:leila.haddad@example.test"})}),
        ("activities", {"activityId": "http://example.test/activities/one"}),
    ],
)
def test_the_alternate_syntax_asks_for_agents_and_activities(
    lrs: Provider, path: str, fields: dict[str, str]
) -> None:
    """1.3: every resource can be asked by a form, and 2.0 knows none of it."""
    plain = lrs.ask("GET", path, query_string=fields)
    form = lrs.ask("POST", path, query_string={"method": "GET"}, data=fields)
    assert (form.status_code, form.json) == (plain.status_code, plain.json) == (200, plain.json)
    assert lrs.ask("POST", path, query_string={"method": "PUT"}, data=fields).status_code == 400
    newer = {"X-Experience-API-Version": "2.0.0"}
    refused = lrs.ask("POST", path, query_string={"method": "GET"}, data=fields, headers=newer)
    assert refused.status_code in (400, 405)
