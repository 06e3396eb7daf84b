"""Record stores that mean harm, or are set up in a hurry: secrets stay, and no other is held up."""

from __future__ import annotations

import base64
import datetime as dt
import http.client
import http.server
import random
import socket
import string
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms import clock
from lms.db import db
from lms.errors import Misconfigured
from lms.jobs.queue import queue as jobs
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.factories.people import make_person
from tests.xapi.test_delivery import add_target, count, record, state
from tests.xapi.test_remote import BATCH, TAKEN, Lrs, answer, lrs  # noqa: F401 - a fixture
from xapi.delivery import queue
from xapi.delivery.outcome import Outcome, Verdict
from xapi.delivery.remote import find_target
from xapi.delivery.report import check_delivery, report
from xapi.outbox import stores
from xapi.outbox.models import Parked, Pending
from xapi.targets import DELIVER, targets

pytestmark = pytest.mark.network

SECRET = "sesame-open-Grüße"
TOKEN = base64.b64encode(f"ropes:{SECRET}".encode()).decode()


@pytest.fixture
def browser(app: Flask, sign_in: Callable[[Person], FlaskClient]) -> FlaskClient:
    return sign_in(make_person("Jonas Brandt", is_administrator=True))


def add(endpoint: str, secret: str = SECRET) -> None:
    stores.add("Archive", endpoint, "ropes", secret, "1.0.3")
    db.session.commit()


def close() -> None:
    targets()["archive"].lrs.close()  # type: ignore[attr-defined]


def test_a_secret_of_any_script_arrives_and_holds_up_no_other(
    app: Flask,
    browser: FlaskClient,
    lrs: Lrs,  # noqa: F811
) -> None:
    def take(handler: Any) -> None:
        ids = [one["id"] for one in orjson.loads(lrs.asked[-1][3])]
        answer(200, orjson.dumps(ids))(handler)

    lrs.act = take
    add(f"http://127.0.0.1:{lrs.server_port}/xapi/")
    record(2)
    run_pending()
    assert count(Pending) == 0  # the built-in store's neither
    assert lrs.asked[0][2]["Authorization"] == f"Basic {TOKEN}"
    lrs.act = answer(401)
    assert browser.post("/xapi/delivery/archive/test").status_code == 302
    close()


def test_a_secret_that_is_read_out_is_kept_nowhere(
    app: Flask,
    browser: FlaskClient,
    lrs: Lrs,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    def read_out(handler: http.server.BaseHTTPRequestHandler) -> None:
        said = f"You said: {handler.headers} which is {SECRET}. " + "x" * 1950 + SECRET
        answer(503, said.encode(), Location=f"https://elsewhere.test/?who={TOKEN}")(handler)

    lrs.act = read_out
    add(f"http://127.0.0.1:{lrs.server_port}/xapi/")
    record(1)
    run_pending()
    words = state("archive").words
    assert "You said:" in words
    seen = [
        words,
        browser.get("/xapi/delivery").text,
        browser.get("/xapi/delivery/archive").text,
        browser.get("/xapi/delivery/archive/change").text,
        check_delivery() or "",
        app.test_cli_runner().invoke(args=["lrs", "target", "list"]).output,
        caplog.text,
    ]
    lrs.act = answer(302, Location=f"https://elsewhere.test/?who={TOKEN}")
    seen.append(browser.post("/xapi/delivery/archive/test", follow_redirects=True).text)
    assert "elsewhere.test" in seen[-1]
    for text in seen:
        assert TOKEN not in text
        assert "sesame" not in text
    close()


def test_where_a_redirect_leads_is_shown_in_short(
    app: Flask,
    browser: FlaskClient,
    lrs: Lrs,  # noqa: F811
) -> None:
    """It is kept in a cookie until it is shown, and a browser keeps 4,096 bytes of one."""
    noise = "".join(random.choices(string.ascii_letters, k=20_000))  # no zip makes it short
    lrs.act = answer(302, Location=f"https://elsewhere.test/{noise}")
    add(f"http://127.0.0.1:{lrs.server_port}/xapi/")
    answered = browser.post("/xapi/delivery/archive/test")
    assert max(map(len, answered.headers.getlist("Set-Cookie"))) < 1500
    assert "elsewhere.test" in browser.get("/xapi/delivery/archive").text


def test_who_drips_after_a_slow_connection_is_left_in_time(
    lrs: Lrs,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = socket.create_connection

    def slow(*args: Any, **more: Any) -> Any:
        time.sleep(0.5)
        return real(*args, **more)

    left = threading.Event()

    def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        with suppress(OSError):
            while not left.wait(0.05):
                handler.wfile.write(b"x")
        handler.close_connection = True

    lrs.act = drip
    monkeypatch.setattr(http.client.socket, "create_connection", slow)  # type: ignore[attr-defined]
    outcome = lrs.target(timeout=0.3).send(BATCH)  # would go on until all 1000 bytes are there
    left.set()
    assert (outcome.verdict, outcome.words) == (Verdict.LATER, "No answer in 0.3 seconds.")


def test_an_answer_without_end_is_left(lrs: Lrs) -> None:  # noqa: F811
    def pour(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                handler.wfile.write(b"10000\r\n" + b"[" * 0x10000 + b"\r\n")
        except OSError:
            pass

    lrs.act = pour
    outcome = lrs.target(timeout=5).send(BATCH)
    assert outcome.verdict is Verdict.LATER
    assert "too long" in outcome.words


@pytest.mark.parametrize("days", [1, 400])
def test_a_clock_that_is_set_back_keeps_nothing_waiting(app: Flask, days: int) -> None:
    answers = [Outcome(Verdict.LATER, 503, "closed")]
    fake = add_target(app, lambda _ids: answers[-1] if answers else None)
    record(1)
    with clock.travel(clock.now() + dt.timedelta(days=days)):
        run_pending()
        assert not queue.is_due("fake")
    answers.clear()
    assert queue.is_due("fake")
    record(1)
    run_pending()
    assert len(fake.held) == 2


def test_what_breaks_in_a_target_is_shown_and_holds_up_no_other(app: Flask) -> None:
    def broken(_ids: object) -> Outcome:
        raise RecursionError("secret things")

    add_target(app, broken)
    record(2)
    run_pending()
    assert count(Pending, Pending.target == "embedded") == 0
    assert count(Pending, Pending.target == "fake") == 2
    assert state("fake").failures == 1
    assert state("fake").words == "Sending broke off here: RecursionError."
    assert not queue.is_due("fake")  # it is tried later, and not at every sweep


def test_a_conflict_that_a_proxy_reports_sets_nothing_aside(
    app: Flask,
    lrs: Lrs,  # noqa: F811
) -> None:
    def proxy(handler: http.server.BaseHTTPRequestHandler) -> None:
        answer(409 if handler.command == "POST" else 404, b"Conflict")(handler)

    lrs.act = proxy
    add(f"http://127.0.0.1:{lrs.server_port}/xapi/")
    record(3)
    for _ in range(4):
        run_pending()
        queue.try_now("archive")
        db.session.commit()
        jobs().wake(DELIVER)
    assert count(Parked) == 0
    assert count(Pending, Pending.target == "archive") == 3
    close()


def test_a_change_is_tried_at_once(app: Flask) -> None:
    add("https://127.0.0.1:9/xapi/")
    record(1)
    run_pending()
    assert not queue.is_due("archive")
    found = stores.get("archive")
    told = {"version": "1.0.3", "everything": False, "but_not": ""}
    stores.change(found, "Archive", "https://127.0.0.1:9/xapi/", "ropes", "other", **told)
    db.session.commit()
    assert queue.is_due("archive")
    jobs().wake(DELIVER)
    run_pending()
    assert not queue.is_due("archive")
    stores.pause(stores.get("archive"), False)
    db.session.commit()
    assert queue.is_due("archive")


def test_the_oldest_that_waits_is_told(app: Flask, browser: FlaskClient) -> None:
    add("https://127.0.0.1:9/xapi/")
    assert [one.oldest_at for one in report()] == [None, None]
    with clock.travel(dt.datetime(2026, 11, 20, 7, 0, tzinfo=dt.UTC)):
        record(1)
        assert [one.oldest_at for one in report()] == [None, None]  # seconds are not worth saying
    record(1)
    run_pending()
    found = {one.name: one.oldest_at for one in report()}
    assert found == {"embedded": None, "archive": dt.datetime(2026, 11, 20, 7, 0, tzinfo=dt.UTC)}
    assert "The oldest has waited since" in browser.get("/xapi/delivery").text
    listed = app.test_cli_runner().invoke(args=["lrs", "target", "list"]).output
    assert "2 waiting since 2026-11-20 07:00 UTC" in listed
    browser.post("/xapi/delivery/archive/since", data={"since": ""})  # old by itself
    assert "The oldest has waited since" not in browser.get("/xapi/delivery").text


def test_settings_hold_no_secret_in_an_address() -> None:
    config = {
        "LMS_LRS_ENDPOINT": f"https://ropes:{SECRET}@lrs.example.test/xapi/",
        "LMS_LRS_KEY": "ropes",
        "LMS_LRS_SECRET": SECRET,
    }
    with pytest.raises(Misconfigured, match="settings of their own") as refused:
        find_target(config)
    assert SECRET not in str(refused.value)


def test_the_key_goes_nowhere_else(lrs: Lrs) -> None:  # noqa: F811
    """A redirect to another server is not followed, by any status, and the key stays here."""
    other = Lrs()
    try:
        for status in (301, 302, 303, 307, 308):
            leads = f"http://127.0.0.1:{other.server_port}/xapi/statements"
            lrs.act = answer(status, TAKEN, Location=leads)
            target = lrs.target()
            assert target.send(BATCH).verdict is Verdict.LATER
            assert target.settle(BATCH[0]).verdict is Verdict.LATER
            target.lrs.close()
        assert other.asked == []
        assert other.connections == 0
    finally:
        other.server_close()
