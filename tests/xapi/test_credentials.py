"""Credentials: made, rotated without a gap, revoked, on the page as on the command line."""

from __future__ import annotations

import base64
import datetime as dt
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms import clock
from lms.audit import AuditEntry
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.conftest import SECRET
from tests.factories.people import make_person
from xapi.lrs import credentials
from xapi.lrs.models import LrsCredential


@pytest.fixture
def admin(app: Flask) -> Person:
    return make_person("Jonas Brandt", is_administrator=True)


@pytest.fixture
def browser(sign_in: Callable[[Person], FlaskClient], admin: Person) -> FlaskClient:
    return sign_in(admin)


def ask(app: Flask, key: str, secret: str, path: str = "/xapi/statements") -> int:
    proof = base64.b64encode(f"{key}:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {proof}", "X-Experience-API-Version": "1.0.3"}
    return app.test_client().get(path, headers=headers).status_code


def make(scopes: tuple[str, ...] = ("all",)) -> tuple[str, str, str]:
    made, secret = credentials.add("Simulator", scopes)
    db.session.commit()
    return made.uid, made.key, secret


def one(uid: str) -> LrsCredential:
    db.session.rollback()
    db.session.expire_all()
    return credentials.get_credential(uid)


def value(page: str, name: str) -> str:
    found = re.search(rf'id="{name}" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


def acts() -> list[str]:
    db.session.rollback()
    return list(
        db.session.scalars(
            select(AuditEntry.act)
            .where(AuditEntry.act.startswith("xapi.cred"))
            .order_by(AuditEntry.id)
        )
    )


def test_a_secret_is_made_and_shown_once(app: Flask, browser: FlaskClient, admin: Person) -> None:
    form = browser.get("/xapi/credentials/new").text
    uid = re.search(r'name="uid"[^>]*value="([^"]+)"', form)
    assert uid is not None
    assert (
        len(re.findall(r"<input[^>]* checked", form)) == 4
    )  # what a system that sends needs, and no more
    sent = {"name": "Simulator", "scopes": ["statements/write", "state"], "uid": uid[1]}
    answer = browser.post("/xapi/credentials/new", data=sent)
    assert answer.headers["Cache-Control"] == "no-store"
    key, secret = value(answer.text, "key"), value(answer.text, "secret")
    assert value(answer.text, "endpoint") == "http://localhost/xapi/"
    assert ask(app, key, secret) == 403
    assert one(uid[1]).made_by_id == admin.id
    # The same press sent twice makes one, and does not show the secret again.
    again = browser.post("/xapi/credentials/new", data=sent)
    assert again.location == f"/xapi/credentials/{uid[1]}"
    assert len(credentials.list_all()) == 1
    for path in (again.location, "/xapi/credentials"):
        page = browser.get(path).text
        assert secret not in page
        assert "Store statements; it cannot void any" in page
        assert "Jonas Brandt" in page
    assert acts() == ["xapi.credential.made"]


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"name": "x" * 121}, {"scopes": []}, {"scopes": ["root"]}, {"uid": "1"}],
)
def test_what_is_missing_is_said_at_its_field(browser: FlaskClient, wrong: dict[str, Any]) -> None:
    sent = {"name": "Simulator", "scopes": ["all"], "uid": "a" * 26, **wrong}
    answer = browser.post("/xapi/credentials/new", data=sent)
    assert answer.status_code == 422
    assert "aria-invalid" in answer.text or "-error" in answer.text
    assert credentials.list_all() == []


def test_rotated_without_a_gap(app: Flask, browser: FlaskClient) -> None:
    uid, key, old = make()
    page = browser.post(f"/xapi/credentials/{uid}/rotate", data={"days": "7"}).text
    new = value(page, "secret")
    assert (ask(app, key, old), ask(app, key, new)) == (200, 200)
    run_pending()
    page = browser.get(f"/xapi/credentials/{uid}").text
    assert "The old secret is still used" in page
    # A second new one would end the old one that is in use.
    answer = browser.post(f"/xapi/credentials/{uid}/rotate", data={"days": "7"})
    assert "secret" not in answer.text.lower() or answer.status_code == 302
    assert ask(app, key, new) == 200
    browser.post(f"/xapi/credentials/{uid}/end-old")
    assert (ask(app, key, old), ask(app, key, new)) == (401, 200)
    assert browser.post(f"/xapi/credentials/{uid}/end-old").status_code == 404
    assert acts() == [
        "xapi.credential.made",
        "xapi.credential.rotated",
        "xapi.credential.old_ended",
    ]


def test_the_old_secret_ends_by_itself(app: Flask) -> None:
    _uid, key, old = make()
    _changed, new = credentials.rotate(key, 7)
    db.session.commit()
    with clock.travel(clock.now() + dt.timedelta(days=6, hours=23)):
        assert ask(app, key, old) == 200
    with clock.travel(clock.now() + dt.timedelta(days=7, seconds=1)):
        assert (ask(app, key, old), ask(app, key, new)) == (401, 200)
        _again, newest = credentials.rotate(key, 0)  # with no days beside it
        db.session.commit()
        assert [ask(app, key, each) for each in (old, new, newest)] == [401, 401, 200]


def test_revoking_is_confirmed_and_for_good(app: Flask, browser: FlaskClient) -> None:
    uid, key, secret = make()
    assert browser.post(f"/xapi/credentials/{uid}/revoke").status_code == 422
    assert ask(app, key, secret) == 200
    browser.post(f"/xapi/credentials/{uid}/revoke", data={"sure": "y"})
    assert ask(app, key, secret) == 401
    assert "Revoked on" in browser.get(f"/xapi/credentials/{uid}").text
    for act, data in (("rotate", {"days": "7"}), ("end-old", {}), ("revoke", {"sure": "y"})):
        answer = browser.post(f"/xapi/credentials/{uid}/{act}", data=data)
        assert answer.status_code in (302, 404)
    assert ask(app, key, secret) == 401
    assert acts() == ["xapi.credential.made", "xapi.credential.revoked"]


def test_last_use_is_kept_by_the_day_and_written_once_a_day(app: Flask) -> None:
    uid, key, secret = make()
    with clock.travel(dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)):
        ask(app, key, "wrong")
        assert run_pending() == []
        for _number in range(3):
            ask(app, key, secret)
        assert one(uid).last_used_on is None  # the request itself writes nothing
        assert run_pending() == ["xapi.uses"]
        assert one(uid).last_used_on == dt.date(2026, 11, 20)
        ask(app, key, secret)
        assert run_pending() == []
    with clock.travel(dt.datetime(2026, 11, 21, 0, 1, tzinfo=dt.UTC)):
        ask(app, key, secret)
        assert run_pending() == ["xapi.uses"]
    assert one(uid).last_used_on == dt.date(2026, 11, 21)


def test_a_queue_that_is_away_keeps_nobody_from_reading(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    _uid, key, secret = make()

    def away(*_any: Any) -> None:
        raise ConnectionError("the queue is away")

    monkeypatch.setattr(app.extensions["lms.jobs"].huey, "put", away)
    assert ask(app, key, secret) == 200


def test_the_command_line_does_what_the_page_does(app: Flask) -> None:
    run = app.test_cli_runner().invoke

    def secret_of(output: str) -> str:
        found = re.search(r"^secret +(\S+)$", output, re.M)
        assert found is not None, output
        return found[1]

    made = run(args=["lrs", "credential", "add", "Reporting", "--scope", "statements/read"])
    key = credentials.list_all()[0].key
    first = secret_of(made.output)
    db.session.commit()
    second = secret_of(run(args=["lrs", "credential", "rotate", key, "--days", "3"]).output)
    assert [ask(app, key, each) for each in (first, second)] == [200, 200]
    run_pending()
    listed = run(args=["lrs", "credential", "list"]).output
    assert "last used 20" in listed
    assert "old secret until" in listed
    db.session.rollback()
    assert run(args=["lrs", "credential", "end-old", key]).exit_code == 0
    assert [ask(app, key, each) for each in (first, second)] == [401, 200]
    db.session.rollback()
    assert run(args=["lrs", "credential", "revoke", key]).exit_code == 0
    assert ask(app, key, second) == 401
    assert acts() == [
        "xapi.credential.made",
        "xapi.credential.rotated",
        "xapi.credential.old_ended",
        "xapi.credential.revoked",
    ]


OTHER_PROCESS = """
import base64, sys
from pathlib import Path
from lms.app import create_app

app = create_app({
    "LMS_SECRET_KEY": sys.argv[1], "LMS_INSTANCE": Path(sys.argv[2]),
    "LMS_DATABASE_URL": sys.argv[3], "LMS_JOBS": "manual", "LMS_BASE_URL": "http://localhost",
})
client = app.test_client()
print("ready", flush=True)
for line in sys.stdin:
    proof = base64.b64encode(line.strip().encode()).decode()
    headers = {"Authorization": f"Basic {proof}", "X-Experience-API-Version": "1.0.3"}
    print(client.get("/xapi/statements", headers=headers).status_code, flush=True)
"""


@contextmanager
def another_process(app: Flask) -> Iterator[Callable[[str, str], int]]:
    """Serve the same database in a second process; returns what asks it."""
    address = db.engine.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, SECRET, str(app.config["LMS_INSTANCE"]), address],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        sender, answers = process.stdin, process.stdout
        assert answers.readline() == "ready\n"

        def asked(key: str, secret: str) -> int:
            db.session.commit()
            sender.write(f"{key}:{secret}\n")
            sender.flush()
            return int(answers.readline())

        yield asked
        sender.close()
        process.wait(timeout=20)


def test_another_process_refuses_it_at_its_very_next_request(app: Flask) -> None:
    _uid, key, first = make()
    with another_process(app) as asked:
        assert asked(key, first) == 200
        _changed, second = credentials.rotate(key, 7)
        assert [asked(key, each) for each in (first, second)] == [200, 200]
        credentials.end_old(key)
        assert [asked(key, each) for each in (first, second)] == [401, 200]
        _changed, third = credentials.rotate(key, 0)
        assert [asked(key, each) for each in (first, second, third)] == [401, 401, 200]
        credentials.revoke(key)
        assert asked(key, third) == 401
