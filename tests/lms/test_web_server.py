"""The web server: who is slow holds nobody up and is let go with 408; the rest of HTTP as it should be."""

from __future__ import annotations

import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from flask import Flask, Response, request

from lms.serving.ports import LOOPBACK
from lms.serving.web import LARGEST_BODY_BYTES, Limits, Server, listen
from tests.lms.test_serving import wait_for

pytestmark = pytest.mark.network
PATIENT = Limits()
HASTY = Limits(
    head_seconds=0.3, silent_seconds=0.3, body_seconds=0.3, reading_seconds=0.3, idle_seconds=0.3,
    stop_seconds=10,
)  # fmt: skip
HEAD = b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
ASK = b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = 20_000_000


app = Flask("served")
go_on = threading.Event()


@app.get("/who")
def who() -> str:
    return request.headers.get("X-Forwarded-For", request.remote_addr or "")


@app.post("/size")
def size() -> str:
    return str(len(request.get_data()))


@app.get("/large")
def large() -> Response:
    return Response(b"x" * LARGE)


@app.get("/wait")
def wait() -> str:
    assert go_on.wait(10)
    return "done"


class Served:
    """A server in a thread, with one thread for the application: whoever takes it stops all others."""

    def __init__(self, limits: Limits) -> None:
        go_on.clear()
        listener = listen(LOOPBACK, 0)
        self.port = listener.getsockname()[1]
        self.server = Server(app, listener, 1, limits)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.server.serve, args=(self.stop,))
        self.thread.start()

    def connect(self) -> socket.socket:
        return socket.create_connection((LOOPBACK, self.port), timeout=10)

    def ask(self, sent: bytes = ASK) -> bytes:
        """Send this on a connection of its own; return the answer."""
        with self.connect() as line:
            line.sendall(sent)
            return answer(line)

    def kept_bytes(self) -> int:
        return sum(one.kept_bytes for one in list(self.server.active_channels.values()))

    def tell_to_stop(self) -> None:
        if not self.stop.is_set():
            self.stop.set()
            self.server.pull_trigger()  # it looks sooner

    def end(self) -> None:
        go_on.set()
        self.tell_to_stop()
        self.thread.join(20)
        assert not self.thread.is_alive()


def answer(line: socket.socket) -> bytes:
    """Read one answer, head and body."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = line.recv(65536)
        assert more, got
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    while length and len(body) < int(length[1]):
        more = line.recv(65536)
        assert more, len(body)
        body += more
    return head + b"\r\n\r\n" + body


def status(got: bytes) -> int:
    return int(got.split()[1])


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """A function that starts a server with these limits."""
    made: list[Served] = []

    def start(limits: Limits = PATIENT) -> Served:
        made.append(Served(limits))
        return made[-1]

    yield start
    for one in made:
        one.end()


def test_many_unfinished_heads_and_bodies_take_no_thread(serve: Callable[..., Served]) -> None:
    server = serve()
    with ExitStack() as open_lines:
        lines = [open_lines.enter_context(closing(server.connect())) for _ in range(128)]
        for number, line in enumerate(lines):
            line.sendall(HEAD + b"a" if number % 2 else HEAD[:30])
        assert status(server.ask()) == 200
        lines[1].sendall(b"a" * 999)  # one of them comes to an end after all
        assert answer(lines[1]).endswith(b"1000")


@pytest.mark.parametrize("begun", [HEAD[:30], b"G", HEAD, HEAD + b"a" * 500])
def test_who_falls_silent_in_the_middle_is_told_so_and_let_go(
    serve: Callable[..., Served], begun: bytes
) -> None:
    with serve(HASTY).connect() as line:
        line.sendall(begun)
        got = answer(line)
        assert status(got) == 408
        assert b"did not arrive in time" in got
        assert b"Connection: close" in got
        assert line.recv(1) == b""


@pytest.mark.parametrize("begun", [HEAD[:30], HEAD])
def test_who_drips_is_let_go_however_busy_the_line_is(
    serve: Callable[..., Served], begun: bytes
) -> None:
    with serve(HASTY).connect() as line:
        line.sendall(begun)
        line.settimeout(0.02)
        for _ in range(500):
            try:
                got = line.recv(65536)
                break
            except TimeoutError:
                line.sendall(b"a")
        assert status(got) == 408


def test_a_body_that_keeps_coming_may_take_its_time(serve: Callable[..., Served]) -> None:
    server = serve(HASTY)
    with server.connect() as line:
        line.sendall(HEAD)
        begun = time.monotonic()
        for _ in range(20):
            line.sendall(b"a" * 50)
            time.sleep(0.03)
        assert time.monotonic() - begun > HASTY.body_seconds
        assert answer(line).endswith(b"1000")


def test_a_connection_that_rests_is_closed_without_a_word(serve: Callable[..., Served]) -> None:
    server = serve(HASTY)
    with server.connect() as silent, server.connect() as rested:
        rested.sendall(ASK)
        assert status(answer(rested)) == 200
        assert (silent.recv(1), rested.recv(1)) == (b"", b"")


def test_a_clock_that_was_set_back_lets_nobody_stay(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(HASTY)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 86_400)
    with server.connect() as line:
        line.sendall(HEAD)
        assert status(answer(line)) == 408


def test_while_a_request_is_answered_the_next_is_not_late(serve: Callable[..., Served]) -> None:
    limits = Limits(silent_seconds=1, body_seconds=1)
    server = serve(limits)
    with server.connect() as line:
        line.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n" + HEAD)
        time.sleep(1.2 * limits.silent_seconds)
        go_on.set()
        assert answer(line).endswith(b"done")
        time.sleep(0.4 * limits.silent_seconds)  # longer than between two looks
        line.sendall(b"a" * 1000)
        assert answer(line).endswith(b"1000")


def test_who_does_not_read_a_large_answer_takes_no_thread_and_is_let_go(
    serve: Callable[..., Served],
) -> None:
    server = serve(HASTY)
    with server.connect() as line:
        line.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        line.recv(1)
        assert status(server.ask()) == 200
        time.sleep(3 * HASTY.reading_seconds)
        got = 0
        while more := line.recv(1 << 20):
            got += len(more)
        assert got < LARGE


def test_bodies_on_their_way_are_bounded_for_all_together(serve: Callable[..., Served]) -> None:
    server = serve(Limits(kept_bytes=3_000_000))
    head = b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n"
    with server.connect() as first, server.connect() as second:
        first.sendall(head + b"a" * 1_900_000)
        wait_for(lambda: server.kept_bytes() == 1_900_000)
        second.sendall(head + b"a" * 1_200_000)
        refused = answer(second)
        assert status(refused) == 503
        assert b"send it again" in refused
        wait_for(lambda: server.kept_bytes() == 1_900_000)
        first.sendall(b"a" * 1_000_000)
        wait_for(lambda: server.kept_bytes() == 2_900_000)
        first.sendall(b"a" * 200_000)  # alone it is above the bound as well
        assert status(answer(first)) == 503
    small = b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    assert server.ask(small).endswith(b"3")


def test_a_refusal_reaches_who_is_still_sending(serve: Callable[..., Served]) -> None:
    server = serve()
    size = LARGEST_BODY_BYTES + 1
    with server.connect() as line:
        line.sendall(f"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode())
        select.select([line], [], [], 10)  # refused already, and it goes on
        assert len(server.server.active_channels) == 1  # not closed: that could lose the answer
        for _ in range(100):
            line.sendall(b"a" * 10_000)
        got = answer(line)
    assert status(got) == 413
    assert b"smaller file" in got


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 40_000, 431),
        (b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (ASK, 200),
    ],
)
def test_no_answer_names_the_server(serve: Callable[..., Served], sent: bytes, wanted: int) -> None:
    got = serve().ask(sent)
    assert status(got) == wanted
    assert not re.search(rb"(?im)^(server|via|x-powered-by):|waitress|werkzeug", got)


def test_who_waits_to_be_asked_for_the_body_is_asked(serve: Callable[..., Served]) -> None:
    with serve().connect() as line:
        line.sendall(HEAD.replace(b"Host", b"Expect: 100-continue\r\nHost"))
        assert line.recv(100).startswith(b"HTTP/1.1 100 ")
        line.sendall(b"a" * 1000)
        assert answer(line).endswith(b"1000")


def test_a_body_in_chunks(serve: Callable[..., Served]) -> None:
    head = b"POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert serve().ask(head + b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n").endswith(b"13")


def test_requests_follow_each_other_on_one_connection(serve: Callable[..., Served]) -> None:
    with serve().connect() as line:
        line.sendall(HEAD + b"a" * 1000 + ASK.replace(b"Host", b"Connection: close\r\nHost"))
        got = b""
        while more := line.recv(65536):
            got += more
    first, second = got.split(b"HTTP/1.1 200 OK")[1:]
    assert first.endswith(b"1000")
    assert second.endswith(LOOPBACK.encode())


def test_what_proxies_say_of_the_client_reaches_the_application(
    serve: Callable[..., Served],
) -> None:
    got = serve().ask(ASK.replace(b"Host", b"X-Forwarded-For: 192.0.2.7\r\nHost"))
    assert got.endswith(b"192.0.2.7")


def test_a_stop_finishes_what_has_begun_and_takes_nothing_new(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    with server.connect() as asked, server.connect() as sending, server.connect() as resting:
        resting.sendall(ASK)
        answer(resting)
        sending.sendall(HEAD)
        asked.sendall(b"GET /wait HTTP/1.1\r\n\r\n")
        wait_for(lambda: sum(one.is_busy for one in server.server.active_channels.values()) == 2)
        server.tell_to_stop()
        assert resting.recv(1) == b""
        go_on.set()
        assert answer(asked).endswith(b"done")
        sending.sendall(b"a" * 1000)
        assert answer(sending).endswith(b"1000")
        server.thread.join(10)
    with pytest.raises(ConnectionError):
        server.connect()


def test_where_connections_run_short_idle_ones_go_and_it_is_said_once(
    serve: Callable[..., Served], caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(Limits(connections=16, silent_seconds=0.2))
    with ExitStack() as open_lines:
        lines = [open_lines.enter_context(closing(server.connect())) for _ in range(60)]
        assert status(server.ask()) == 200
        assert [line.recv(1) for line in lines[:10]] == [b""] * 10
    said = [one for one in caplog.records if "connections" in one.getMessage()]
    assert len(said) == 1


def no_room(*_args: Any) -> Any:
    raise OSError(28, "No space left on device")


def test_a_body_that_finds_no_room_on_the_disk_ends_one_connection_only(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    monkeypatch.setattr("waitress.buffers.TempfileBasedBuffer.__init__", no_room)
    with server.connect() as line:
        line.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n")
        try:
            line.sendall(b"a" * 2_000_000)
            got = line.recv(100)
        except ConnectionError:
            got = b""
    assert got == b""
    assert status(server.ask()) == 200
