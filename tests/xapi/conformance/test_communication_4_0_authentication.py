"""Who may do what (xAPI 1.0.3, Communication 4.0; IEEE 9274.1.1, 4.1.12)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from lms.db import db
from tests.xapi.conformance.resources import (
    NEW,
    RESOURCES,
    send,
)
from tests.xapi.lrs import ACTIVITY, ACTOR, VERB, Provider, statement
from xapi.lrs import credentials

VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}


def ref(one: dict[str, Any] | str) -> dict[str, str]:
    return {"objectType": "StatementRef", "id": one if isinstance(one, str) else one["id"]}


def test_who_may_what(app: Flask) -> None:
    every = Provider(app)
    writer = Provider(app, ["statements/write"])
    reader = Provider(app, ["statements/read"])
    own = Provider(app, ["statements/write", "statements/read/mine"])
    sent = statement()
    writer.post(sent)
    assert writer.ask("GET").status_code == 403
    reader.post(statement(), status=403)
    assert reader.find() == [sent["id"]]
    mine = statement()
    own.post(mine)
    assert own.find() == [mine["id"]]
    assert own.find(verb=VERB["id"]) == [mine["id"]]
    assert own.ask("GET", query_string={"statementId": sent["id"]}).status_code == 404
    own.post(statement(verb=VOIDED, object=ref(sent)), status=403)
    # Nobody can speak in another's name.
    forged = every.find_statements(limit=1)[0]["authority"]
    lie = statement(authority=forged)
    writer.post(lie)
    [kept] = [one for one in every.find_statements() if one["id"] == lie["id"]]
    assert kept["authority"]["account"]["name"] != forged["account"]["name"]


def test_a_revoked_credential_is_refused_at_once(app: Flask) -> None:
    lrs = Provider(app)
    assert lrs.ask("GET").status_code == 200
    credentials.revoke(lrs.key)
    db.session.commit()
    answer = lrs.ask("GET")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "authorization", ["", "Basic", "Basic !!!", "Bearer x", "Basic bm9jb2xvbg==", "Basic YTpi"]
)
def test_without_a_credential_nothing(lrs: Provider, authorization: str) -> None:
    answer = lrs.ask("GET", headers={"Authorization": authorization})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "resource",
    [
        *("statements", "activities", "activities/state", "activities/profile"),
        *("agents", "agents/profile"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_a_wrong_key_opens_no_resource(lrs: Provider, resource: str, method: str) -> None:
    answer = lrs.ask(method, resource, headers={"Authorization": "Basic YTpi"})
    assert answer.status_code in (401, 405)


@pytest.mark.parametrize(
    ("scope", "reads", "writes"),
    [
        ("all", ("s", "p"), ("s", "p")),
        ("all/read", ("s", "p"), ()),
        ("state", ("s",), ("s",)),
        ("profile", ("p",), ("p",)),
        ("statements/read", (), ()),
        ("statements/write", (), ()),
    ],
)
def test_scopes_reach_as_far_as_they_say(
    app: Flask, scope: str, reads: tuple[str, ...], writes: tuple[str, ...]
) -> None:
    """4.0: `state` and `profile` are for their documents, `all/read` reads everything."""
    lrs = Provider(app, scopes=(scope,))
    for path, names in RESOURCES:
        kind = "s" if path == "activities/state" else "p"
        put = send(lrs, "PUT", path, names, json={}, headers=NEW).status_code
        assert put == (204 if kind in writes else 403), path
        got = send(lrs, "GET", path, names).status_code
        assert (got != 403) is (kind in reads), path
        gone = send(lrs, "DELETE", path, names).status_code
        assert gone == (204 if kind in writes else 403), path


@pytest.mark.parametrize(
    ("scope", "status"),
    [("all", 200), ("all/read", 200), ("profile", 200), ("state", 403), ("statements/write", 403)],
)
def test_scopes(app: Flask, scope: str, status: int) -> None:
    """4.0: who may ask."""
    lrs = Provider(app, scopes=(scope,))
    asked = {"activityId": ACTIVITY["id"]}
    assert lrs.ask("GET", "activities", query_string=asked).status_code == status
    agent = {"agent": json.dumps(ACTOR)}
    assert lrs.ask("GET", "agents", query_string=agent).status_code == status
    assert lrs.ask("POST", "agents", query_string=agent).status_code == 400
