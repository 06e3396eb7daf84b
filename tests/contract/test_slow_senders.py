"""No request waits for its sender while it holds anything of the database: every route that reads a
body, generated from the URL map. A body drips in; meanwhile a second client writes.
"""

from __future__ import annotations

import io
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from lms.db import db
from lms.people.access import Who
from lms.people.models import Person
from lms.web.bodies import STRANGERS_MOST
from tests import databases
from tests.contract.samples import Samples
from tests.contract.test_access import Company, address, company, declared, rules  # noqa: F401
from tests.factories.esn import make_connector
from tests.xapi.lrs import Provider

READS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
KINDS = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=edge", "text/plain")
BODY = b"--edge\r\nContent-Disposition: form-data; name=who\r\n\r\nx\r\n--edge--\r\n"


class Dripping(io.RawIOBase):
    """A body that comes byte by byte; at each of them somebody else may want to write."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app
        self.given = 0

    def environ(self, length: int = len(BODY)) -> dict[str, Any]:
        """Return what the server says of a request with this body, which is said to be so long."""
        return {"wsgi.input": self, "CONTENT_LENGTH": str(length)}

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.somebody_else_writes()
        piece = BODY[self.given : self.given + 1]
        buffer[: len(piece)] = piece
        self.given += len(piece)
        return len(piece)

    def somebody_else_writes(self) -> None:
        held = db.engine.pool.checkedout()  # type: ignore[attr-defined]
        assert held == 0, "a connection to the database is held while the sender is waited for"
        if databases.KIND == "sqlite" and self.given in (0, len(BODY) - 1):
            other = sqlite3.connect(db.engine.url.database or "", timeout=0)
            other.execute(
                "INSERT INTO lms_tries VALUES (?, 0, 1, '2000-01-01')", [f"t{self.given}"]
            )
            other.rollback()
            other.close()


def send(client: FlaskClient, path: str, method: str, kind: str, body: Dripping) -> int:
    answer = client.open(
        path, method=method, headers={"Content-Type": kind}, environ_overrides=body.environ()
    )
    assert answer.status_code < 500, f"{method} {path} as {kind}"
    return answer.status_code


def test_nobody_waits_for_the_sender_at_any_route(
    app: Flask,
    company: Company,  # noqa: F811
    sign_in: Callable[[Person], FlaskClient],
) -> None:
    samples = Samples(company.owner)
    company.owner.is_author = company.owner.is_administrator = company.owner.is_manager = True
    cases = [
        (method, address(app, rule, samples), declared(app, rule).who)
        for rule in rules(app)
        for method in sorted((rule.methods or set()) & READS)
    ]
    unread: list[str] = []
    provider = Provider(app)
    for method, path, who in cases:
        for kind in KINDS:
            machine = Who.MACHINE in who
            client = provider.client if machine else sign_in(company.owner)
            body = Dripping(app)
            send(client, path, method, kind, body)
            if body.given != len(BODY):
                unread.append(f"{method} {path} as {kind}: read {body.given} bytes")
    assert len(cases) > 90
    assert not unread, "\n".join(unread)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("resource", ["statements", "activities/state", "agents/profile"])
def test_nobody_waits_for_who_proves_to_be_known(app: Flask, method: str, resource: str) -> None:
    """The record store asks who it is before it reads much, and gives back what it asked with."""
    provider, body = Provider(app), Dripping(app)
    app.config["LMS_LRS_JSON_MOST_BYTES"] = 10**9
    for length in (len(BODY), 2 * 1024 * 1024):
        provider.ask(
            method,
            resource,
            headers={"Content-Type": "application/json"},
            environ_overrides=body.environ(length),
        )
    assert body.given == len(BODY)


def test_a_signed_delivery_is_waited_for_without_anything_held(app: Flask) -> None:
    connector, _secret = make_connector()
    body = Dripping(app)
    path = f"/esn/intake/{connector.uid}"
    assert send(app.test_client(), path, "POST", "application/json", body) == 401
    assert body.given == len(BODY)


def test_a_stranger_may_not_send_much_to_a_page(app: Flask) -> None:
    body = Dripping(app)
    sent = body.environ(STRANGERS_MOST + 1)
    answer = app.test_client().post("/sign-in", environ_overrides=sent)
    assert (answer.status_code, body.given) == (413, 0)
    assert "not signed in" in answer.text


@contextmanager
def served(app: Flask) -> Iterator[tuple[str, int]]:
    """Serve the app from threads of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield "127.0.0.1", server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.network
@pytest.mark.parametrize("path", ["/esn/intake/{uid}", "/sign-in", "/xapi/statements"])
def test_a_learner_saves_while_a_stranger_drips_over_a_socket(
    app: Flask,
    sign_in: Callable[[Person], FlaskClient],
    company: Company,  # noqa: F811
    path: str,
) -> None:
    connector, _secret = make_connector()
    target = path.format(uid=connector.uid)
    learner = sign_in(company.owner)
    waiting = threading.Event()
    plain = app.wsgi_app

    def watched(environ: dict[str, Any], start: Any) -> Any:
        if environ["PATH_INFO"] == target:
            environ["wsgi.input"] = Watched(environ["wsgi.input"], waiting)
        return plain(environ, start)

    app.wsgi_app = watched  # type: ignore[method-assign]
    with served(app) as where, socket.create_connection(where) as stranger:
        stranger.sendall(
            f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: 100\r\n\r\n{".encode()
        )
        assert waiting.wait(20)  # the server is at the body, which does not come
        assert learner.post("/language", data={"language": "de"}).status_code < 400
        db.session.expire_all()
        assert company.owner.language == "de"
        stranger.sendall(b" " * 99)
        assert stranger.recv(12).startswith(b"HTTP/1.")


class Watched(io.RawIOBase):
    """A body that says when somebody begins to read it."""

    def __init__(self, body: Any, waiting: threading.Event) -> None:
        super().__init__()
        self.body = body
        self.waiting = waiting

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.waiting.set()
        piece = self.body.read(min(len(buffer), 1))
        buffer[: len(piece)] = piece
        return len(piece)
