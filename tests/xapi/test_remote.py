"""Any LRS over HTTP: the transport under tincan, against a small server that does as it is told."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import orjson
import pytest

from lms.addresses import parse_networks
from xapi.delivery.outcome import Verdict
from xapi.delivery.remote import RemoteTarget
from xapi.delivery.target import Waiting

LOOPBACK = parse_networks("127.0.0.0/8")
pytestmark = pytest.mark.network

ID = "0b0fe8f5-2a86-4b3c-8f5e-d3a3a5b3b0c1"
STATEMENT = {
    "id": ID,
    "actor": {"mbox": "mailto:leila.haddad@example.test"},
    "verb": {"id": "http://example.test/did"},
    "object": {"id": "http://example.test/one"},
    "result": {"score": {"scaled": 1.0}},
    "timestamp": "2026-11-23T09:00:00Z",
}
TAKEN = orjson.dumps([ID])  # as an LRS says so
BATCH = [Waiting(1, ID, orjson.dumps(STATEMENT).decode())]


class Lrs(http.server.ThreadingHTTPServer):
    """Answers with `act`, and notes what it was asked, and over how many connections."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections = 0
        self.act: Callable[[http.server.BaseHTTPRequestHandler], None] = answer(200, TAKEN)
        super().__init__(("127.0.0.1", 0), Handler)

    def target(self, timeout: float = 5.0) -> RemoteTarget:
        return RemoteTarget(
            f"http://127.0.0.1:{self.server_port}/xapi",
            "k",
            "s",
            "2.0.0",
            timeout,
            networks=LOOPBACK,
        )


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Lrs

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        self.server.act(self)

    do_GET = do_POST = _serve  # noqa: N815 - the library's names

    def log_message(self, *_args: object) -> None:
        return


def answer(
    status: int, body: bytes = b"", **headers: str
) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    def act(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


@pytest.fixture
def lrs() -> Iterator[Lrs]:
    server = Lrs()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_one_connection_serves_many_requests(lrs: Lrs) -> None:
    target = lrs.target()
    for _ in range(5):
        assert target.send(BATCH).verdict is Verdict.DELIVERED
    assert lrs.connections == 1
    method, path, headers, body = lrs.asked[0]
    assert (method, path) == ("POST", "/xapi/statements")
    assert headers["X-Experience-API-Version"] == "2.0.0"
    assert headers["Authorization"].startswith("Basic ")
    assert orjson.loads(body) == [STATEMENT]
    target.lrs.close()


def test_every_script_arrives_as_it_was_written(lrs: Lrs) -> None:
    words = "Grüße, Łódź, مرحبا, ありがとう"
    told = {**STATEMENT, "object": {"id": "http://x.test", "definition": {"name": {"de": words}}}}
    target = lrs.target()
    outcome = target.send([Waiting(1, ID, orjson.dumps(told).decode())])
    assert outcome.verdict is Verdict.DELIVERED, outcome.words
    assert orjson.loads(lrs.asked[0][3]) == [told]
    target.lrs.close()


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b"<html>Welcome to the hotel's network</html>", Verdict.LATER),
        (200, b"", Verdict.LATER),
        (200, b'{"ok": true}', Verdict.LATER),
        (200, b"[]", Verdict.LATER),
        (200, b'["00000000-0000-4000-8000-000000000000"]', Verdict.LATER),
        (200, b"[1, null]", Verdict.LATER),
        (200, orjson.dumps({ID: True}), Verdict.LATER),
        (204, b"", Verdict.LATER),
        (302, b"", Verdict.LATER),
        (400, b"Bad gateway page", Verdict.DOUBTFUL),
    ],
)
def test_what_is_no_record_store_takes_nothing_and_refuses_nothing(
    lrs: Lrs, status: int, body: bytes, verdict: Verdict
) -> None:
    lrs.act = answer(status, body, Location="https://portal.example.test/login")
    target = lrs.target()
    outcome = target.send(BATCH)
    assert outcome.verdict is verdict
    assert outcome.words
    if status == 302:
        assert "https://portal.example.test/login" in outcome.words
        assert len(lrs.asked) == 1  # the key is shown to nobody else
    target.lrs.close()


def test_an_lrs_refusal_is_believed(lrs: Lrs) -> None:
    lrs.act = answer(400, b"object.id: no", X_Experience_API_Version="2.0.0")
    target = lrs.target()
    assert target.send(BATCH).verdict is Verdict.REFUSED
    target.lrs.close()


def test_a_connection_that_was_closed_meanwhile_is_opened_again(lrs: Lrs) -> None:
    def close_after(handler: http.server.BaseHTTPRequestHandler) -> None:
        answer(200, TAKEN)(handler)
        handler.close_connection = True  # without saying so

    lrs.act = close_after
    target = lrs.target()
    for _ in range(3):
        assert target.send(BATCH).verdict is Verdict.DELIVERED
        time.sleep(0.05)
    assert lrs.connections == 3
    target.lrs.close()


def test_words_and_retry_after_come_through(lrs: Lrs) -> None:
    lrs.act = answer(429, b"slow down,\n please", Retry_After="7")
    target = lrs.target()
    outcome = target.send(BATCH)
    assert outcome.verdict is Verdict.LATER
    assert outcome.words == "slow down, please"
    assert outcome.retry_after_seconds == 7.0
    target.lrs.close()


@pytest.mark.parametrize("drips", [False, True])
def test_who_does_not_answer_in_time_is_left(lrs: Lrs, drips: bool) -> None:
    left = threading.Event()

    def hang(handler: http.server.BaseHTTPRequestHandler) -> None:
        if drips:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        with suppress(OSError):
            while not left.wait(0.05):
                if drips:
                    handler.wfile.write(b"x")
        handler.close_connection = True

    lrs.act = hang
    target = lrs.target(timeout=0.3)
    outcome = target.send(BATCH)  # would never end: nobody but this test ends the answer
    left.set()
    assert outcome.verdict is Verdict.LATER
    assert "0.3 seconds" in outcome.words
    lrs.act = answer(200, TAKEN)
    assert target.send(BATCH).verdict is Verdict.DELIVERED
    target.lrs.close()


def test_nobody_there() -> None:
    outcome = RemoteTarget(
        "http://127.0.0.1:9/xapi/", "k", "s", "1.0.3", 1.0, networks=LOOPBACK
    ).send(BATCH)
    assert outcome.verdict is Verdict.LATER
    assert outcome.words.startswith("No connection")


def test_a_server_that_speaks_no_tls(lrs: Lrs) -> None:
    target = RemoteTarget(
        f"https://127.0.0.1:{lrs.server_port}/xapi/", "k", "s", "1.0.3", 1.0, networks=LOOPBACK
    )
    outcome = target.send(BATCH)
    assert outcome.verdict is Verdict.LATER
    assert outcome.words.startswith(("The secure connection failed", "No answer"))


@pytest.mark.parametrize(
    ("held", "verdict"),
    [
        (
            {
                **STATEMENT,
                "result": {"score": {"scaled": 1}},
                "timestamp": "2026-11-23T10:00:00.000+01:00",
                "stored": "2026-11-23T09:00:01Z",
                "authority": {"mbox": "mailto:lrs@example.test"},
                "version": "1.0.0",
            },
            Verdict.DELIVERED,
        ),
        ({**STATEMENT, "verb": {"id": "http://example.test/left"}}, Verdict.REFUSED),
        ({**STATEMENT, "timestamp": "2026-11-23T10:00:00Z"}, Verdict.REFUSED),
        ({"id": ID.upper(), "what": "is this"}, Verdict.REFUSED),
        ({"id": ID, "actor": []}, Verdict.REFUSED),
        ({"what": "is this"}, Verdict.DOUBTFUL),
        ([], Verdict.DOUBTFUL),
        (None, Verdict.REFUSED),
    ],
)
def test_a_conflict_is_settled_by_what_is_held(lrs: Lrs, held: object, verdict: Verdict) -> None:
    body = b"" if held is None else orjson.dumps(held)
    lrs.act = answer(404 if held is None else 200, body, X_Experience_API_Version="2.0.0")
    target = lrs.target()
    assert target.settle(BATCH[0]).verdict is verdict
    assert lrs.asked[0][1] == f"/xapi/statements?statementId={ID}"
    target.lrs.close()


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"no such page"), (200, b"[]"), (200, b"5"), (200, orjson.dumps({"id": ID}))],
)
def test_a_conflict_that_something_else_reports_sets_nothing_aside(
    lrs: Lrs, status: int, body: bytes
) -> None:
    lrs.act = answer(status, body)
    target = lrs.target()
    assert target.settle(BATCH[0]).verdict is Verdict.DOUBTFUL
    target.lrs.close()


def test_a_statement_nested_as_deep_as_can_be_is_another(lrs: Lrs) -> None:
    deep = b'{"a":' * 1000 + b"1" + b"}" * 1000
    body = b'{"id": "%s", "actor": %s}' % (ID.encode(), deep)
    lrs.act = answer(200, body, X_Experience_API_Version="2.0.0")
    target = lrs.target()
    assert target.settle(BATCH[0]).verdict is Verdict.REFUSED
    target.lrs.close()


def test_of_a_web_page_the_words_are_kept(lrs: Lrs) -> None:
    page = (
        b"<!DOCTYPE html><html><head><title>503 Closed</title><style>p { color: red }</style>"
        b"<script>alert('<b>')</script></head><body><h1>503  Closed</h1><p>for &lt;repair&gt;</p>"
        b"<hr><center>nginx</center>"
    )
    target = lrs.target()
    for body, words in (
        (page, "503 Closed for <repair> nginx"),
        (b"<html><script>", "an empty web page"),
        (b"<b>no page</b>", "<b>no page</b>"),
    ):
        lrs.act = answer(503, body)
        assert target.send(BATCH).words == words
    target.lrs.close()
