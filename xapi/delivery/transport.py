"""The wire to an LRS: persistent connections under tincan, and a time by which all is over.

tincan's own transport opens a connection for each request, waits for ever, and lets network
errors through raw; its one method that does so is replaced here.
"""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from tincan import RemoteLRS
from tincan.http_request import HTTPRequest
from tincan.lrs_response import LRSResponse

from lms.addresses import Network, NotThere, connect

ANSWER_MOST_BYTES = 4 * 1024 * 1024
HIDDEN_LEAST_CHARS = 4  # shorter ones stand in ordinary words
_BROKEN_PIPES = (
    http.client.RemoteDisconnected,
    http.client.CannotSendRequest,
    ConnectionResetError,
    BrokenPipeError,
)


class NoAnswer(Exception):
    """The LRS could not be reached, or did not answer in time; the message says which.

    cause: `closed`, `tls`, `late`, `forbidden` (it leads where nothing may be opened) or
    `unreachable`; why: more of it, in the system's words.
    """

    def __init__(self, message: str = "", cause: str = "unreachable", why: str = "") -> None:
        super().__init__(message)
        self.cause, self.why = cause, why


class PooledLRS(RemoteLRS):  # type: ignore[misc]
    """tincan's RemoteLRS over one connection that stays open between requests.

    Use it from one thread at a time. A request is over after `timeout_seconds`, however slowly the
    other side answers: a timer closes the connection under it.
    """

    _props = [*RemoteLRS._props, "timeout_seconds", "connection", "hidden", "networks"]

    def __init__(
        self,
        endpoint: str,
        key: str,
        secret: str,
        version: str,
        timeout: float,
        networks: Sequence[Network] = (),
    ) -> None:
        self._timeout_seconds = timeout
        self._networks = networks  # private ones that may be reached
        self._connection: http.client.HTTPConnection | None = None
        # RFC 7617, 2.1. tincan's own would be ASCII, and raise for a secret with an umlaut in it.
        token = base64.b64encode(f"{key}:{secret}".encode()).decode()
        self._hidden = tuple(one for one in (token, secret) if len(one) >= HIDDEN_LEAST_CHARS)
        super().__init__(endpoint=endpoint, auth=f"Basic {token}")
        self._version = version  # past tincan's own check, which knows no 2.0

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def hide(self, words: str) -> str:
        """Return what came from there without our secret: some repeat all that they were asked."""
        for one in self._hidden:
            words = words.replace(one, "…")
        return words

    def _send_request(self, request: HTTPRequest) -> LRSResponse:
        headers = {"X-Experience-API-Version": self._version, "Authorization": self._auth}
        headers.update(request.headers)
        base = urlsplit(self._endpoint)
        path = base.path + request.resource
        if request.query_params:
            path += "?" + urlencode(request.query_params)
        content = getattr(request, "content", None)
        for kept_open in (self._connection is not None, False):
            try:
                response, data = self._exchange(base, request.method, path, content, headers)
                break
            except _BROKEN_PIPES as error:
                self.close()
                # A server may close an idle connection just as we write to it: that is no fault
                # of either, and ids make it safe to say everything again.
                if not kept_open:
                    raise NoAnswer(
                        f"The connection was closed ({type(error).__name__}).", "closed"
                    ) from error
            except ssl.SSLError as error:
                self.close()
                why = getattr(error, "verify_message", "") or error.reason or type(error).__name__
                raise NoAnswer(f"The secure connection failed: {why}.", "tls", why) from error
            except TimeoutError as error:
                self.close()
                message = f"No answer in {self._timeout_seconds:g} seconds."
                raise NoAnswer(message, "late") from error
            except NotThere as error:
                self.close()
                raise NoAnswer(str(error), "forbidden", str(error)) from error
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.close()
                message = f"No connection: {type(error).__name__}: {error}."
                raise NoAnswer(message, "unreachable", str(error)) from error
        return LRSResponse(
            success=200 <= response.status < 300, request=request, response=response, data=data
        )

    def _exchange(
        self, base: SplitResult, method: str, path: str, content: Any, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        if self._connection is None:
            kind = (
                http.client.HTTPSConnection
                if base.scheme == "https"
                else http.client.HTTPConnection
            )
            self._connection = kind(base.hostname or "", base.port, timeout=self._timeout_seconds)
            # Where the name leads is judged before it is opened; TLS is still asked of the name.
            self._connection._create_connection = partial(  # type: ignore[attr-defined]
                connect, networks=self._networks, plain=base.scheme == "http"
            )
        connection = self._connection
        with self._deadline(connection) as missed:
            try:
                if connection.sock is None:
                    connection.connect()
                    if missed.is_set():  # nothing was there to be closed; nothing would be later
                        raise TimeoutError
                connection.request(method, path, body=content, headers=headers)
                response = connection.getresponse()
                data = response.read(ANSWER_MOST_BYTES + 1)
            except Exception as error:
                if missed.is_set():
                    raise TimeoutError from error
                raise
            if missed.is_set():
                raise TimeoutError
        if len(data) > ANSWER_MOST_BYTES:
            raise ValueError("the answer is too long")
        if response.will_close:
            self.close()
        return response, data.decode("utf-8", "replace")

    @contextmanager
    def _deadline(self, connection: http.client.HTTPConnection) -> Iterator[threading.Event]:
        """Close the connection after `timeout_seconds`: a socket's own timeout starts anew at
        every byte that drips in."""
        missed = threading.Event()

        def cut_off() -> None:
            missed.set()
            if connection.sock is not None:
                with suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self._timeout_seconds, cut_off)
        timer.daemon = True
        timer.start()
        try:
            yield missed
        finally:
            timer.cancel()
