"""The web server of one process: waitress, with deadlines for whoever sends or reads slowly.

waitress takes in a whole request, and buffers a whole answer, without a thread of the application:
whoever is slow holds a connection and nothing else (docs/decisions/0011-web-server.md). What is added
here: a request that is late is answered 408 and let go, what all senders together make us keep is
bounded, moments are those of a clock that nobody sets, and a stop finishes what has begun.
"""

from __future__ import annotations

import logging
import math
import resource
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import Error

log = logging.getLogger(__name__)

# The application refuses what is above 32 MB with a page of its own; here is where even that ends.
LARGEST_BODY_BYTES = 64 * 1024 * 1024
LARGEST_HEAD_BYTES = 32 * 1024
# A body above this counts in `Limits.kept_bytes`.
SMALL_BODY_BYTES = 1024 * 1024
# An answer up to this size is taken off the thread that makes it, however slowly it is read.
BUFFERED_ANSWER_BYTES = 128 * 1024 * 1024
SEND_BYTES = 65536
LOOK_SECONDS = 0.5
FILES_PER_CONNECTION = 3  # the socket, a body and an answer that are too large for memory
OTHER_FILES = 100
LINGER_SECONDS = 2
SAY_SECONDS = 60
POLITE_SECONDS = 0.0001
MOST_POLITE = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a process waits for whom, in seconds, and how much it keeps meanwhile.

    A request's head has to be there after `head_seconds`. A body may take its time as long as it
    comes: it is late after `silent_seconds` without a byte, and when after `body_seconds` less than
    `least_bytes_a_second` have come on average. `reading_seconds`: how long nothing of an answer may
    be read. `idle_seconds`: how long a connection may rest between requests.
    """

    head_seconds: float = 10
    silent_seconds: float = 20
    body_seconds: float = 20
    least_bytes_a_second: float = 500
    reading_seconds: float = 60
    idle_seconds: float = 60
    stop_seconds: float = 25
    connections: int = 2000
    kept_bytes: int = 512 * 1024 * 1024


class Late(Error):  # type: ignore[misc]
    """The request did not arrive in time."""

    code = 408
    reason = "Request Timeout"


class Full(Error):  # type: ignore[misc]
    """More bodies are on their way than this process can keep."""

    code = 503
    reason = "Service Unavailable"


SENTENCES = {
    400: "This is no request that HTTP knows.",
    408: "The request did not arrive in time. Nothing was kept of it; send it again.",
    413: "This is more than can be taken at once. Send less, or a smaller file.",
    431: "The address and the headers are too long.",
    500: "Something broke here. Nothing was kept; try again.",
    501: "Send the body as it is, or in chunks; other encodings are not known here.",
    503: "Too much is being sent just now. Nothing was kept of this; send it again in a minute.",
}


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Reads a request; one that says its length in two ways is none.

    A proxy in front may have gone by the other (RFC 9112, 6.3): what it takes for the body of one
    request would then be the beginning of another's.
    """

    def parse_header(self, header_plus: bytes) -> None:
        """Take the head apart; raises ParsingError."""
        super().parse_header(header_plus)
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Say the length once: by Content-Length, or in chunks.")


class Refusal(ErrorTask):  # type: ignore[misc]
    """The answer of the web server itself: a status and one plain sentence; then it hangs up."""

    def execute(self) -> None:
        """Write the answer."""
        error = self.request.error
        body = f"{SENTENCES.get(error.code, error.reason)}\n".encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Answer(WSGITask):  # type: ignore[misc]
    """The application's answer, sent by the thread that made it as far as the other side takes it."""

    def finish(self) -> None:
        """Send what is left; the thread of the server need not be woken for that."""
        super().finish()
        self.channel.send_now()


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that knows since when its request is on its way."""

    parser_class = Parser
    task_class = Answer
    error_task_class = Refusal
    request: Any
    requests: list[Any]
    will_close: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.active_at = self.begun_at = time.monotonic()
        self.lingers_until = 0.0
        super().__init__(*args, **kwargs)

    def received(self, data: bytes) -> Any:
        """Take in what has come; refuse it where all senders together send too much."""
        self.active_at = time.monotonic()
        before = self.request
        taken = super().received(data)
        request = self.request
        if request is None:
            return taken
        if request is not before:
            self.begun_at = self.active_at
        if request.body_bytes_received > SMALL_BODY_BYTES and self.server.is_full():
            self._refuse(Full(""))
        return taken

    def service(self) -> None:
        """Answer a request; the time that takes is not the next request's sender's."""
        super().service()
        self.active_at = self.begun_at = time.monotonic()

    def send_now(self) -> None:
        """Send what can be sent without waiting."""
        with self.outbuf_lock:
            self._flush_exception(self._flush_some, do_close=False)

    def _flush_some(self, do_close: bool = True) -> Any:
        sent = super()._flush_some(do_close=do_close)
        if sent:
            self.active_at = time.monotonic()
        return sent

    @property
    def kept_bytes(self) -> int:
        """How many bytes of bodies stand here: of the request on its way, and of those to answer."""
        requests = [*self.requests, self.request]
        return sum(one.body_bytes_received for one in requests if one is not None)

    @property
    def is_busy(self) -> bool:
        """Whether a request is on its way or being answered, or an answer not yet sent."""
        return bool(self.requests or self.request is not None or self.total_outbufs_len)

    def let_go_if_late(self, moment: float, limits: Limits, idle_seconds: float) -> None:
        """Answer 408 to a request that is late; close a connection that only rests."""
        quiet = moment - self.active_at
        if self.lingers_until:
            self.will_close = self.will_close or moment > self.lingers_until
        elif self.total_outbufs_len:
            if quiet > limits.reading_seconds:
                self.handle_close()  # at once: a socket that is full is not asked again to write
        elif self.requests:
            return  # being answered; how long that takes is not the client's to say
        elif self.request is None:
            self.will_close = self.will_close or quiet > idle_seconds
        elif self._is_late(moment - self.begun_at, quiet, limits):
            self._refuse(Late(""))

    def _is_late(self, age: float, quiet: float, limits: Limits) -> bool:
        if not self.request.headers_finished:
            return age > limits.head_seconds
        least = limits.least_bytes_a_second * age
        slow = age > limits.body_seconds and self.request.body_bytes_received < least
        return slow or quiet > limits.silent_seconds

    def _refuse(self, error: Error) -> None:
        """Answer with an error at once, in this thread: those of the application may all be busy."""
        with self.requests_lock:
            if self.request is None or self.requests:
                return
            refused, self.request = self.request, None
            refused.error, refused.completed, refused.version = error, True, "1.1"
            self.requests.append(refused)
        self.service()

    # A connection that is closed while the other side still sends is reset, and the answer may be
    # lost with it. So after an answer that ends the connection nothing more is said, and what comes
    # is thrown away for a moment.

    def handle_write(self) -> None:
        """Send what is to be sent; end the connection where that was all."""
        if self.close_when_flushed and not self.will_close and not self.requests:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len and not self.will_close and self._hang_up():
                return
        super().handle_write()

    def _hang_up(self) -> bool:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # the other side was quicker
            return False
        self.lingers_until = time.monotonic() + LINGER_SECONDS
        return True

    def readable(self) -> bool:
        """Whether to look for bytes from the client."""
        if self.lingers_until:
            return not self.will_close
        return bool(super().readable())

    def writable(self) -> bool:
        """Whether there is anything to send, or to end."""
        if self.lingers_until:
            return bool(self.will_close)
        return bool(super().writable())


class Server(TcpWSGIServer):  # type: ignore[misc]
    """The server of one process, over a socket that listens and that other processes may share."""

    channel_class = Channel

    def __init__(
        self, application: Callable[..., Any], listener: socket.socket, threads: int, limits: Limits
    ) -> None:
        self.limits = limits
        self.look_at = self.say_at = 0.0
        self.look_seconds = min(LOOK_SECONDS, limits.silent_seconds / 4)
        adjustments = Adjustments(
            sockets=[listener],
            ident=None,  # the server does not name itself
            server_name="localhost",
            threads=threads,
            connection_limit=_affordable(limits.connections),
            asyncore_use_poll=True,
            recv_bytes=SEND_BYTES,
            outbuf_high_watermark=BUFFERED_ANSWER_BYTES,
            max_request_header_size=LARGEST_HEAD_BYTES,
            max_request_body_size=LARGEST_BODY_BYTES,
            log_socket_errors=False,  # people go away: that is no error
            clear_untrusted_proxy_headers=False,  # `lms.app` knows how many proxies are trusted
        )
        # Head and body of an answer go out together, which saves a third of what a request costs
        # here; not handed over above, where it would warn that it may go one day.
        adjustments.send_bytes = SEND_BYTES
        dispatcher = ThreadedTaskDispatcher()
        for talkative in (self.logger, dispatcher.queue_logger):
            talkative.setLevel(logging.ERROR)  # each time that a queue or the limit is reached
        dispatcher.set_thread_count(threads)
        super().__init__(
            application, {}, True, listener, dispatcher=dispatcher, adj=adjustments,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )  # fmt: skip

    def readable(self) -> bool:
        """Whether to take new connections; asked in each round, and so the time to look around."""
        moment = time.monotonic()
        if moment >= self.look_at:
            self.look_at = moment + self.look_seconds
            self.let_go_late_ones(moment)
        self.next_channel_cleanup = math.inf  # waitress would ask a clock that may be set back
        takes_more = bool(super().readable())
        if self.in_connection_overflow and moment >= self.say_at:
            self.say_at = moment + SAY_SECONDS
            log.warning("all %s connections of this process are taken", self.adj.connection_limit)
        return takes_more

    def handle_accept(self) -> None:
        """Take a new connection; who has many already lets the other processes go first."""
        time.sleep(min(len(self.active_channels), MOST_POLITE) * POLITE_SECONDS)
        super().handle_accept()

    def let_go_late_ones(self, moment: float) -> None:
        """Look at every connection; where there is no room for more, idle ones go sooner."""
        idle = self.limits.idle_seconds if not self.in_connection_overflow else 0
        for channel in list(self.active_channels.values()):
            channel.let_go_if_late(moment, self.limits, idle)

    def is_full(self) -> bool:
        """Whether the bodies that stand here are all that this process keeps."""
        kept: int = sum(channel.kept_bytes for channel in self.active_channels.values())
        return kept > self.limits.kept_bytes

    def serve(self, stop: threading.Event) -> None:
        """Answer until `stop` is set; then take nothing new, and finish what has begun."""
        while not stop.is_set():
            self._round()
        wasyncore.dispatcher.close(self)  # the socket that listens; the connections stay
        patience = time.monotonic() + self.limits.stop_seconds
        while self.active_channels and time.monotonic() < patience:
            self.let_go_late_ones(time.monotonic())
            for channel in self.active_channels.values():
                channel.will_close = channel.will_close or not channel.is_busy
            self._round()
        self.task_dispatcher.shutdown(timeout=1)
        if not self.task_dispatcher.threads:  # else one of them may yet wake this one
            wasyncore.close_all(self._map)

    def _round(self) -> None:
        wasyncore.loop(timeout=self.look_seconds, use_poll=True, map=self._map, count=1)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, for `Server` in as many processes as are forked from this one."""
    return socket.create_server((host, port), backlog=1024)


def _affordable(connections: int) -> int:
    """Return how many connections the files that this process may open are enough for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections * FILES_PER_CONNECTION + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return connections
    return max(16, min(connections, (soft - OTHER_FILES) // FILES_PER_CONNECTION))
