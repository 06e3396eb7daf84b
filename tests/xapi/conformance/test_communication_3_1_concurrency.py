"""Who writes last has seen what was there (xAPI 1.0.3, Communication 3.1)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.xapi.conformance.resources import (
    NEW,
    STATE,
    every,
    every_profile,
    send,
    versions,
    without,
)
from tests.xapi.lrs import Provider


@every
@versions
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_wrong_etag_is_412_and_a_right_one_does_it(
    app: Flask, path: str, names: dict[str, str], version: str, method: str
) -> None:
    """3.1: If-Match is judged before anything is changed."""
    lrs = Provider(app, version=version)
    send(lrs, "POST", path, names, json={"a": 1})
    etag = send(lrs, "GET", path, names).headers["ETag"]
    more: dict[str, Any] = {} if method == "DELETE" else {"json": {"a": 2}}
    wrong = send(lrs, method, path, names, headers={"If-Match": '"1234"'}, **more)
    assert wrong.status_code == 412
    assert wrong.json["error"].startswith("If-Match")
    assert send(lrs, "GET", path, names).json == {"a": 1}
    right = send(lrs, method, path, names, headers={"If-Match": etag}, **more)
    assert right.status_code == 204
    after = send(lrs, "GET", path, names)
    assert after.status_code == 404 if method == "DELETE" else after.json == {"a": 2}


@every
def test_none_match_makes_only_what_is_not_there(
    lrs: Provider, path: str, names: dict[str, str]
) -> None:
    """3.1: If-None-Match: * is 412 where there is a document."""
    assert send(lrs, "PUT", path, names, json={"a": 1}, headers=NEW).status_code == 204
    assert send(lrs, "PUT", path, names, json={"a": 2}, headers=NEW).status_code == 412
    assert send(lrs, "GET", path, names).json == {"a": 1}


@every_profile
@versions
def test_a_profile_is_put_with_a_header(
    app: Flask, path: str, names: dict[str, str], version: str
) -> None:
    """3.1: with neither header, 400 where there is nothing and 409 where there is something."""
    lrs = Provider(app, version=version)
    assert send(lrs, "PUT", path, names, json={"a": 1}).status_code == 400
    assert send(lrs, "GET", path, names).status_code == 404
    send(lrs, "POST", path, names, json={"a": 1})
    answer = send(lrs, "PUT", path, names, json={"a": 2})
    assert answer.status_code == 409
    assert "If-Match" in answer.json["error"]
    assert send(lrs, "GET", path, names).json == {"a": 1}


@pytest.mark.parametrize(("version", "status"), [("1.0.3", 204), ("2.0.0", 409)])
def test_a_state_is_replaced_without_a_header_in_1_0_only(
    app: Flask, version: str, status: int
) -> None:
    """3.1 (IEEE 9274.1.1, 4.1.4): 1.0.3 permits it, 2.0 answers 409."""
    lrs = Provider(app, version=version)
    assert send(lrs, "PUT", "activities/state", STATE, json={"a": 1}).status_code == 204
    assert send(lrs, "PUT", "activities/state", STATE, json={"a": 2}).status_code == status


@every
def test_who_has_a_document_already_is_told_so(
    lrs: Provider, path: str, names: dict[str, str]
) -> None:
    """RFC 9110, 13.1.2 (the standard leaves reading to HTTP): 304, with the ETag and no content."""
    send(lrs, "POST", path, names, json={"a": 1})
    etag = send(lrs, "GET", path, names).headers["ETag"]
    for method in ("GET", "HEAD"):
        for header in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            same = send(lrs, method, path, names, headers={"If-None-Match": header})
            assert (same.status_code, same.data) == (304, b"")
            assert same.headers["ETag"] == etag
            assert same.headers["X-Experience-API-Version"] == "1.0.3"
        other = send(lrs, method, path, names, headers={"If-None-Match": '"other"'})
        assert other.status_code == 200
    assert send(lrs, "GET", path, names, headers={"If-Match": '"other"'}).json == {"a": 1}
    send(lrs, "POST", path, names, json={"b": 2})
    fresh = send(lrs, "GET", path, names, headers={"If-None-Match": etag})
    assert fresh.json == {"a": 1, "b": 2}


@versions
def test_many_are_not_removed_by_an_etag(app: Flask, version: str) -> None:
    """3.1: many documents have no ETag together, so whoever names one removes none of them."""
    lrs = Provider(app, version=version)
    send(lrs, "PUT", "activities/state", STATE, json={"a": 1})
    etag = send(lrs, "GET", "activities/state", STATE).headers["ETag"]
    group = without(STATE, "stateId")
    for header in ("If-Match", "If-None-Match"):
        for value in (etag, "*", '"other"'):
            answer = send(lrs, "DELETE", "activities/state", group, headers={header: value})
            assert answer.status_code == 412
    assert send(lrs, "GET", "activities/state", STATE).json == {"a": 1}
    assert send(lrs, "DELETE", "activities/state", group).status_code == 204
    assert send(lrs, "GET", "activities/state", STATE).status_code == 404


@every
def test_an_etag_is_read_however_it_is_written(
    lrs: Provider, path: str, names: dict[str, str]
) -> None:
    """RFC 9110, 13.1: one of several, weak, `*`; and bare or in upper case, as older clients have it."""
    send(lrs, "POST", path, names, json={"n": 0})
    for number, spelt in enumerate(("{}", '"x", "{}"', 'W/"{}"', "*", "bare", "upper")):
        tag = send(lrs, "GET", path, names).headers["ETag"].strip('"')
        written = {"bare": tag, "upper": f'"{tag.upper()}"', "{}": f'"{tag}"'}
        header = written.get(spelt, spelt.replace("{}", tag))
        answer = send(lrs, "PUT", path, names, json={"n": number}, headers={"If-Match": header})
        assert answer.status_code == 204, spelt
    for header in ('"x", "y"', "x", "", '"', "W/", '"*"'):
        answer = send(lrs, "PUT", path, names, json={"n": -1}, headers={"If-Match": header})
        assert answer.status_code == 412, header
    single = "stateId" if "stateId" in names else "profileId"
    absent = {**names, single: "absent"}
    for header in ("*", '"x"'):
        answer = send(lrs, "PUT", path, absent, json={}, headers={"If-Match": header})
        assert answer.status_code == 412, header
    assert send(lrs, "GET", path, absent).status_code == 404
