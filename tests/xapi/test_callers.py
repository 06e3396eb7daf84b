"""A credential that changed is another one at the very next request, whoever changed it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import select, update

from lms import clock
from lms.db import db
from tests.conftest import SECRET
from tests.elsewhere import elsewhere
from tests.queries import counted
from tests.xapi.lrs import ACTOR, Provider, statement
from xapi.lrs import callers, resources, statements
from xapi.lrs.models import LrsCredential, LrsDocument, LrsStatement

ROOT = Path(__file__).parents[2]
# What another process does: one act a line, and a line back when it is committed.
OTHER_PROCESS = """
import sys
from sqlalchemy import update
from lms.app import create_app
from lms.db import transaction
from xapi.lrs import credentials
from xapi.lrs.models import LrsCredential

def change(row, **values):
    session.execute(update(LrsCredential).where(LrsCredential.key == row).values(**values))

app = create_app()
with app.app_context():
    print("ready", flush=True)
    for line in sys.stdin:
        act, key = line.split()
        told = "done"
        with transaction() as session:
            if act == "revoke":
                credentials.revoke(key)
            elif act == "rotate":
                told = credentials.rotate(key, days=7)[1]
            elif act == "end-old":
                credentials.end_old(key)
            elif act == "read-only":
                change(key, scopes="statements/read")
            elif act == "rename":
                change(key, key=key + "-moved")
        print(told, flush=True)
"""


@contextmanager
def other_process(app: Flask) -> Iterator[Callable[[str, str], str]]:
    """A function that has another process change a credential: `tell("revoke", key)`."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "LMS_SECRET_KEY": SECRET,
        "LMS_INSTANCE": str(app.config["LMS_INSTANCE"]),
        "LMS_DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "LMS_JOBS": "manual",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    told, answers = process.stdin, process.stdout
    try:
        assert answers.readline() == "ready\n"

        def tell(act: str, key: str) -> str:
            told.write(f"{act} {key}\n")
            told.flush()
            return answers.readline().strip()

        yield tell
    finally:
        told.close()
        process.wait(timeout=30)
        answers.close()


def status(provider: Provider) -> int:
    """Return what storing a statement is answered with."""
    return provider.ask("POST", json=statement()).status_code


def test_another_process_changes_a_credential_that_is_remembered_here(app: Flask) -> None:
    moved, scoped, revoked, rotated = (Provider(app) for _ in range(4))
    with other_process(app) as tell:
        for provider in (moved, scoped, revoked, rotated):
            assert [status(provider), status(provider)] == [200, 200]
        assert tell("revoke", revoked.key) == "done"
        assert status(revoked) == 401
        assert tell("read-only", scoped.key) == "done"
        assert status(scoped) == 403
        assert scoped.ask("GET").status_code == 200
        assert tell("rename", moved.key) == "done"
        assert status(moved) == 401
        assert tell("rotate", rotated.key) not in ("", "done")
        assert [status(rotated), status(rotated)] == [200, 200]  # the old one, for seven days
        assert tell("end-old", rotated.key) == "done"
        assert status(rotated) == 401


def test_a_secret_is_checked_once_and_its_row_read_by_every_request(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, checked = Provider(app), []
    check = callers._check
    monkeypatch.setattr(
        callers,
        "_check",
        lambda *args: checked.append(args[1]) or check(*args),  # type: ignore[func-returns-value]
    )
    assert [status(provider) for _ in range(5)] == [200] * 5
    assert checked == [provider.key]
    with counted() as queries:
        assert status(provider) == 200
    assert len(queries) == 0  # what a POST asks goes to the driver, past SQLAlchemy


def test_wrong_secrets_are_not_remembered(app: Flask) -> None:
    provider = Provider(app)
    assert status(provider) == 200
    remembered = app.extensions["xapi.callers"]
    assert len(remembered) == 1
    right = provider.headers["Authorization"]
    for wrong in ("Basic eA==", "Bearer x", "", right[:-8] + "AAAAAAAA", "Basic " + "é" * 9):
        provider.headers["Authorization"] = wrong
        assert status(provider) == 401
    assert len(remembered) == 1
    assert not any(provider.secret in repr(one) for one in remembered.items())


def test_no_more_is_remembered_than_fits(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "REMEMBERED_MOST", 3)
    for _ in range(8):
        provider = Provider(app)
        assert [status(provider), status(provider)] == [200, 200]
        assert len(app.extensions["xapi.callers"]) <= 3


@pytest.mark.parametrize("path", ["statements", "activities/state"])
def test_a_credential_revoked_while_a_body_is_checked_stores_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    provider = Provider(app)
    revoked = update(LrsCredential).values(revoked_at=clock.now())

    def after_revoking(plain: Callable[..., Any]) -> Callable[..., Any]:
        def check(*args: Any) -> Any:
            elsewhere(revoked)
            return plain(*args)

        return check

    monkeypatch.setattr(statements, "prepare", after_revoking(statements.prepare))
    monkeypatch.setattr(resources, "_content_type", after_revoking(resources._content_type))
    named = {"stateId": "a", "activityId": "http://a.test/b", "agent": orjson.dumps(ACTOR).decode()}
    method, query = ("POST", {}) if path == "statements" else ("PUT", named)
    answer = provider.ask(method, path, json=statement(), query_string=query)
    assert answer.status_code == 401, answer.text
    assert db.session.scalar(select(LrsStatement.id)) is None
    assert db.session.scalar(select(LrsDocument.key)) is None
