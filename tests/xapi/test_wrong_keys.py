"""Wrong keys in a row are refused for a while; a right one from the same place never is."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from werkzeug.test import TestResponse

from lms import clock
from lms.db import db
from lms.people.models import Tries
from lms.people.tries import STRETCH_SECONDS
from tests.xapi.lrs import Provider, statement
from xapi.lrs.wrong import KEY_MOST, PLACE_MOST

pytestmark = pytest.mark.usefixtures("in_mid_stretch")


def guess(app: Flask, key: str, place: str = "192.0.2.1", **more: Any) -> TestResponse:
    proof = base64.b64encode(f"{key}:wrong".encode()).decode()
    headers = {"Authorization": f"Basic {proof}", "X-Experience-API-Version": "1.0.3"}
    return app.test_client().get(
        "/xapi/statements", headers=headers, environ_base={"REMOTE_ADDR": place}, **more
    )


def rows() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Tries)) or 0


def test_forty_wrong_keys_in_a_row_from_one_place(app: Flask) -> None:
    answers = [guess(app, f"key-{number}") for number in range(40)]
    statuses = [one.status_code for one in answers]
    assert statuses == [401] * PLACE_MOST + [429] * (40 - PLACE_MOST)
    assert 0 < int(answers[-1].headers["Retry-After"]) <= STRETCH_SECONDS
    assert "try again" in answers[-1].json["error"]
    assert guess(app, "key", "192.0.2.2").status_code == 401  # elsewhere it begins anew


def test_a_right_one_from_the_same_place_is_taken(app: Flask) -> None:
    """A company's proxy is one place for all that is behind it."""
    provider = Provider(app)
    for _ in range(PLACE_MOST + 5):
        guess(app, provider.key, "127.0.0.1")
    assert guess(app, provider.key, "127.0.0.1").status_code == 429
    assert provider.ask("POST", json=statement()).status_code == 200
    assert provider.ask("GET").status_code == 200


def test_one_key_guessed_from_everywhere(app: Flask) -> None:
    statuses = [
        guess(app, "ropes-1", f"198.51.100.{place}").status_code for place in range(KEY_MOST + 5)
    ]
    assert statuses == [401] * KEY_MOST + [429] * 5


def test_addresses_of_one_ipv6_household_are_one_place(app: Flask) -> None:
    statuses = [
        guess(app, f"key-{number}", f"2001:db8::{number:x}").status_code
        for number in range(PLACE_MOST + 1)
    ]
    assert statuses[-1] == 429
    assert guess(app, "key", "2001:db8:0:1::1").status_code == 401


def test_nothing_is_written_for_right_ones_nor_for_those_over_the_limit(app: Flask) -> None:
    provider = Provider(app)
    for number in range(PLACE_MOST + 1):
        guess(app, f"key-{number}")
    before, written = rows(), []
    event.listen(
        db.engine, "before_cursor_execute",
        lambda *heard: written.append(heard[2]) if "lms_tries" in heard[2] else None,
    )  # fmt: skip
    for number in range(20):
        assert guess(app, f"other-{number}").status_code == 429
    assert provider.ask("GET").status_code == 200
    assert written == []
    assert rows() == before <= 2 * (PLACE_MOST + 1)


def test_who_asks_without_a_key_first_is_not_counted(app: Flask) -> None:
    client = app.test_client()
    headers = {"X-Experience-API-Version": "1.0.3"}
    statuses = {client.get("/xapi/statements", headers=headers).status_code for _ in range(40)}
    assert statuses == {401}
    assert rows() == 0


def test_leaving_out_the_version_is_no_way_around(app: Flask) -> None:
    proof = {"Authorization": "Basic eDp5"}
    client = app.test_client()
    statuses = [client.get("/xapi/statements", headers=proof).status_code for _ in range(40)]
    assert statuses[-1] == 429


def test_the_next_quarter_of_an_hour_begins_anew(app: Flask) -> None:
    for number in range(PLACE_MOST + 1):
        guess(app, f"key-{number}")
    with clock.travel(clock.now() + dt.timedelta(seconds=STRETCH_SECONDS)):
        assert guess(app, "key").status_code == 401
