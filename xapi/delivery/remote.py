"""Any LRS over HTTP, through tincan, with persistent connections and a time by which all is over.

tincan's own transport opens a connection for each request, waits for ever, and lets network
errors through raw; its one method that does so is replaced here.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from flask_babel import lazy_gettext as _l
from tincan import RemoteLRS
from tincan.http_request import HTTPRequest
from tincan.lrs_response import LRSResponse

from lms import clock
from lms.errors import Misconfigured
from xapi.delivery.outcome import Outcome, Verdict, cut, judge, read_retry_after
from xapi.delivery.target import Waiting
from xapi.lrs.compare import same

ANSWER_MOST_BYTES = 4 * 1024 * 1024
_BROKEN_PIPES = (
    http.client.RemoteDisconnected,
    http.client.CannotSendRequest,
    ConnectionResetError,
    BrokenPipeError,
)


class NoAnswer(Exception):
    """The LRS could not be reached, or did not answer in time; the message says which."""


class PooledLRS(RemoteLRS):  # type: ignore[misc]
    """tincan's RemoteLRS over one connection that stays open between requests.

    Use it from one thread at a time. A request is over after `timeout_seconds`, however slowly the
    other side answers: a timer closes the connection under it.
    """

    _props = [*RemoteLRS._props, "timeout_seconds", "connection"]

    def __init__(self, endpoint: str, key: str, secret: str, version: str, timeout: float) -> None:
        self._timeout_seconds = timeout
        self._connection: http.client.HTTPConnection | None = None
        super().__init__(endpoint=endpoint, username=key, password=secret)
        self._version = version  # past tincan's own check, which knows no 2.0

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

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
                        f"The connection was closed ({type(error).__name__})."
                    ) from error
            except ssl.SSLError as error:
                self.close()
                raise NoAnswer(f"The secure connection failed: {error.reason}.") from error
            except TimeoutError as error:
                self.close()
                raise NoAnswer(f"No answer in {self._timeout_seconds:g} seconds.") from error
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.close()
                raise NoAnswer(f"No connection: {type(error).__name__}: {error}.") from error
        return LRSResponse(
            success=200 <= response.status < 300, request=request, response=response, data=data
        )

    def _exchange(
        self, base: Any, method: str, path: str, content: Any, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        if self._connection is None:
            kind = (
                http.client.HTTPSConnection
                if base.scheme == "https"
                else http.client.HTTPConnection
            )
            self._connection = kind(base.hostname, base.port, timeout=self._timeout_seconds)
        connection = self._connection
        with self._deadline(connection) as missed:
            try:
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


class RemoteTarget:
    """An LRS over HTTP."""

    name = "remote"
    label = _l("The company's record store")
    in_process = False

    def __init__(self, endpoint: str, key: str, secret: str, version: str, timeout: float) -> None:
        self.address = endpoint if endpoint.endswith("/") else endpoint + "/"
        self.lrs = PooledLRS(self.address, key, secret, version, timeout)

    def send(self, batch: Sequence[Waiting]) -> Outcome:
        """Send the batch in one POST."""
        request = HTTPRequest(method="POST", resource="statements")
        request.headers["Content-Type"] = "application/json"
        request.content = f"[{','.join(one.text for one in batch)}]".encode()
        return self._ask(request)

    def settle(self, one: Waiting) -> Outcome:
        """Fetch what the LRS holds under this id, and compare."""
        for parameter in ("statementId", "voidedStatementId"):
            request = HTTPRequest(method="GET", resource="statements")
            request.query_params[parameter] = one.statement_id
            try:
                answer = self.lrs._send_request(request)
            except NoAnswer as error:
                return Outcome(Verdict.LATER, 0, cut(str(error)))
            if answer.response.status == 404:
                continue
            if not answer.success:
                return self._outcome(answer)
            try:
                held = same(orjson.loads(answer.data), orjson.loads(one.text))
            except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
                held = False
            if held:
                return Outcome(Verdict.DELIVERED, 200)
            return Outcome(Verdict.REFUSED, 409, "Another statement is stored under this id.")
        return Outcome(
            Verdict.REFUSED,
            409,
            "The record store reports a conflict, and shows no such statement.",
        )

    def _ask(self, request: HTTPRequest) -> Outcome:
        try:
            answer = self.lrs._send_request(request)
        except NoAnswer as error:
            return Outcome(Verdict.LATER, 0, cut(str(error)))
        return self._outcome(answer)

    def _outcome(self, answer: LRSResponse) -> Outcome:
        status = answer.response.status
        return Outcome(
            judge(status),
            status,
            cut(answer.data or ""),
            read_retry_after(answer.response.getheader("Retry-After"), clock.now()),
        )


def find_target(config: Mapping[str, Any]) -> RemoteTarget | None:
    """Return the target, or None where no LRS is set (LMS_LRS_ENDPOINT)."""
    endpoint = config["LMS_LRS_ENDPOINT"]
    if not endpoint:
        return None
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misconfigured(
            "LMS_LRS_ENDPOINT is not a web address. Write https://lrs.example.com/xapi/."
        )
    if not config["LMS_LRS_KEY"] or not config["LMS_LRS_SECRET"]:
        raise Misconfigured("LMS_LRS_ENDPOINT needs LMS_LRS_KEY and LMS_LRS_SECRET beside it.")
    return RemoteTarget(
        endpoint,
        config["LMS_LRS_KEY"],
        config["LMS_LRS_SECRET"],
        config["LMS_LRS_VERSION"],
        config["LMS_LRS_TIMEOUT_SECONDS"],
    )
