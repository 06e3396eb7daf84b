"""Bodies that end before they should, on the web server that an installation runs."""

from __future__ import annotations

import socket
import time

import httpx
import pytest

from tests.xapi.hostile.conftest import Served

pytestmark = pytest.mark.network

AGENT = "%7B%22mbox%22:%22mailto:leila@example.test%22%7D"


HUNG_UP = 0  # whoever has cut the line is not there to be told


def put(served: Served, name: str, headers: str, *pieces: bytes, cut: bool = False) -> int:
    """Put a document by hand, and cut the line after it or not; return the answer's status."""
    head = (
        f"PUT /xapi/agents/profile?agent={AGENT}&profileId={name} HTTP/1.1\r\n"
        f"Host: 127.0.0.1\r\nAuthorization: {served.authorization}\r\n"
        "X-Experience-API-Version: 1.0.3\r\nIf-None-Match: *\r\nContent-Type: text/plain\r\n"
        f"{headers}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as wire:
        wire.sendall(head.encode())
        for piece in pieces:
            time.sleep(0.05)
            wire.sendall(piece)
        if cut:
            wire.shutdown(socket.SHUT_WR)
        answer = wire.recv(65536)
    return int(answer.split(b" ", 2)[1]) if answer else HUNG_UP


def is_kept(served: Served, name: str) -> bool:
    answer = httpx.get(
        f"{served.url}/agents/profile?agent={AGENT}&profileId={name}",
        headers={
            "Authorization": served.authorization,
            "X-Experience-API-Version": "1.0.3",
        },
        trust_env=False,
    )
    assert answer.status_code in (200, 404)
    return answer.status_code == 200


@pytest.mark.parametrize(
    ("name", "headers", "pieces", "status"),
    [
        ("shorter", "Content-Length: 50", (b"hello",), HUNG_UP),
        ("chunk", "Transfer-Encoding: chunked", (b"5\r\nhello\r\n",), HUNG_UP),
        (
            "both",
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            (b"5\r\nhello\r\n0\r\n\r\n",),
            400,
        ),
        ("coded", "Transfer-Encoding: gzip, chunked", (b"5\r\nhello\r\n0\r\n\r\n",), 501),
        ("two", "Content-Length: 3\r\nContent-Length: 5", (b"hello",), 400),
        ("bad", "Transfer-Encoding: chunked", (b"zz\r\nhello\r\n0\r\n\r\n",), 400),
    ],
)
def test_half_a_document_is_none(
    served: Served, name: str, headers: str, pieces: tuple[bytes, ...], status: int
) -> None:
    assert put(served, name, headers, *pieces, cut=name in ("shorter", "chunk")) == status
    assert not is_kept(served, name)


def test_a_whole_one_is_kept(served: Served) -> None:
    assert put(served, "whole", "Content-Length: 5", b"hel", b"lo") == 204
    assert is_kept(served, "whole")
