"""Documents: state, agent profile, activity profile (xAPI 1.0.3, Communication 2.2, 2.3, 2.6, 2.7)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid

import pytest
from flask import Flask

from lms import clock
from tests.xapi.conformance.resources import (
    NEW,
    PROFILES,
    STATE,
    every,
    send,
    versions,
    without,
)
from tests.xapi.lrs import OTHER, Provider


@every
@versions
def test_what_is_put_comes_back_with_its_type_and_etag(
    app: Flask, path: str, names: dict[str, str], version: str
) -> None:
    """2.2 and 3.1: content and Content-Type as sent; the ETag is the quoted SHA-1."""
    lrs = Provider(app, version=version)
    body = b"\x00\xffany bytes"
    put = send(lrs, "PUT", path, names, data=body, content_type="text/html", headers=NEW)
    assert (put.status_code, put.data) == (204, b"")
    got = send(lrs, "GET", path, names)
    assert (got.status_code, got.data, got.content_type) == (200, body, "text/html")
    assert got.headers["ETag"] == f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"'
    assert got.headers["Last-Modified"].endswith("GMT")
    assert got.headers["Content-Disposition"] == "attachment"
    head = send(lrs, "HEAD", path, names)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == got.headers["ETag"]


@every
def test_objects_merge_one_level_deep(lrs: Provider, path: str, names: dict[str, str]) -> None:
    """2.2: POST merges top-level properties; a property that is an object is replaced whole."""
    assert send(lrs, "POST", path, names, json={"a": {"x": 1}, "b": 2}).status_code == 204
    assert send(lrs, "POST", path, names, json={"a": {"y": 3}, "c": 4}).status_code == 204
    got = send(lrs, "GET", path, names)
    assert got.json == {"a": {"y": 3}, "b": 2, "c": 4}
    assert got.content_type == "application/json"


@every
@pytest.mark.parametrize(
    ("kept", "sent"),
    [
        (("application/json", b'{"a":1}'), ("text/plain", b"no")),
        (("text/plain", b"no"), ("application/json", b'{"a":1}')),
        (("application/json", b'{"a":1}'), ("application/json", b"[1]")),
        (("application/json", b'{"a":1}'), ("application/json", b"{")),
        (("application/json", b"[1]"), ("application/json", b'{"a":1}')),
    ],
)
def test_what_cannot_merge_changes_nothing(
    lrs: Provider,
    path: str,
    names: dict[str, str],
    kept: tuple[str, bytes],
    sent: tuple[str, bytes],
) -> None:
    """2.2: 400 where either is no object of JSON; the document stays."""
    send(lrs, "PUT", path, names, data=kept[1], content_type=kept[0], headers=NEW)
    answer = send(lrs, "POST", path, names, data=sent[1], content_type=sent[0])
    assert answer.status_code == 400
    assert send(lrs, "GET", path, names).data == kept[1]


@every
def test_ids_are_listed_since(lrs: Provider, path: str, names: dict[str, str]) -> None:
    """2.2: without an id, the ids of all; `since` leaves out what is older."""
    single = "stateId" if "stateId" in names else "profileId"
    group = without(names, single)
    assert send(lrs, "GET", path, group).json == []
    send(lrs, "POST", path, {**group, single: "one"}, json={})
    moment = clock.now()
    assert send(lrs, "GET", path, group).json == ["one"]
    for since, found in (("-", ["one"]), ("+", [])):
        at = moment + dt.timedelta(hours=1 if since == "+" else -1)
        assert send(lrs, "GET", path, {**group, "since": at.isoformat()}).json == found
    wrong = send(lrs, "GET", path, {**group, "since": "yesterday"})
    assert (wrong.status_code, wrong.json["error"][:6]) == (400, "since:")


@every
def test_one_is_removed_and_others_stay(lrs: Provider, path: str, names: dict[str, str]) -> None:
    """2.2: DELETE of one answers 204, also where there is none."""
    single = "stateId" if "stateId" in names else "profileId"
    send(lrs, "POST", path, names, json={})
    send(lrs, "POST", path, {**names, single: "another"}, json={})
    assert send(lrs, "DELETE", path, names).status_code == 204
    assert send(lrs, "GET", path, names).status_code == 404
    assert send(lrs, "DELETE", path, names).status_code == 204
    assert send(lrs, "GET", path, without(names, single)).json == ["another"]


def test_all_states_are_removed_profiles_one_by_one(lrs: Provider) -> None:
    """2.3: DELETE without stateId removes the agent's states here, by registration if given."""
    group = without(STATE, "stateId")
    one = str(uuid.uuid4())
    for names in (STATE, {**STATE, "registration": one}, {**STATE, "agent": json.dumps(OTHER)}):
        assert send(lrs, "PUT", "activities/state", names, json={}).status_code == 204
    asked = {**group, "registration": one.upper()}
    assert send(lrs, "GET", "activities/state", asked).json == ["place"]
    assert send(lrs, "DELETE", "activities/state", asked).status_code == 204
    assert send(lrs, "GET", "activities/state", asked).json == []
    assert send(lrs, "GET", "activities/state", STATE).status_code == 200
    assert send(lrs, "DELETE", "activities/state", group).status_code == 204
    assert send(lrs, "GET", "activities/state", group).json == []
    other = {**group, "agent": json.dumps(OTHER)}
    assert send(lrs, "GET", "activities/state", other).json == ["place"]
    for path, names in PROFILES:
        assert send(lrs, "DELETE", path, without(names, "profileId")).status_code == 400


@every
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_a_wrong_parameter_is_named(
    lrs: Provider, path: str, names: dict[str, str], method: str
) -> None:
    """2.3, 2.6, 2.7: each required parameter, each format, and none besides."""
    wrong = {"activityId": "no iri", "agent": "{", "registration": "1", "extra": "x"}
    for name, value in wrong.items():
        if name not in names and name == "registration" and path != "activities/state":
            continue
        if name not in names and name in ("activityId", "agent"):
            continue
        answer = send(lrs, method, path, {**names, name: value}, json={}, headers=NEW)
        assert answer.status_code == 400, name
        assert name in answer.json["error"]
    for name in without(names, "stateId", "profileId"):
        answer = send(lrs, method, path, without(names, name), json={}, headers=NEW)
        assert answer.status_code == 400
        assert answer.json["error"].startswith(f"{name}:")
    single = "stateId" if "stateId" in names else "profileId"
    for value in ("", "x" * 2001):
        answer = send(lrs, method, path, {**names, single: value}, json={}, headers=NEW)
        assert answer.status_code == 400
        assert answer.json["error"].startswith(single)


@every
def test_what_is_no_json_by_its_type_cannot_be_merged_into(
    lrs: Provider, path: str, names: dict[str, str]
) -> None:
    """2.2: 400 where the document that is there is not of type application/json, whatever it holds."""
    plain = {"data": b'{"a": 1}', "content_type": "text/plain", "headers": NEW}
    assert send(lrs, "PUT", path, names, **plain).status_code == 204
    answer = send(lrs, "POST", path, names, json={"b": 2})
    assert answer.status_code == 400
    assert send(lrs, "GET", path, names).data == b'{"a": 1}'


@every
def test_since_is_exclusive(lrs: Provider, path: str, names: dict[str, str]) -> None:
    """2.3, 2.6, 2.7: stored since the timestamp, exclusive."""
    moment = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)
    with clock.travel(moment):
        assert send(lrs, "PUT", path, names, json={}, headers=NEW).status_code == 204
    group = without(names, "stateId", "profileId")
    asked = {moment: 0, moment - dt.timedelta(microseconds=1): 1}
    for since, count in asked.items():
        assert len(send(lrs, "GET", path, {**group, "since": since.isoformat()}).json) == count


@every
@pytest.mark.parametrize("given", ["text", "text/", "a/" + "b" * 199, "text/html\x7f"])
def test_a_content_type_that_is_none(
    lrs: Provider, path: str, names: dict[str, str], given: str
) -> None:
    """2.2: what cannot be said when the document is asked for is not taken."""
    answer = send(lrs, "PUT", path, names, data=b"x", content_type=given, headers=NEW)
    assert answer.status_code == 400
    assert answer.json["error"].startswith("Content-Type:")
    longest = "a/" + "b" * 198
    fits = send(lrs, "PUT", path, names, data=b"x", content_type=longest, headers=NEW)
    assert fits.status_code == 204
    assert send(lrs, "GET", path, names).content_type == longest
