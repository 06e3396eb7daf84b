"""Bodies of several parts that no honest client sends (Communication 1.5.2; RFC 2046)."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from typing import Any

import pytest
from flask import Flask

from tests.xapi.hostile.attack import Attack, withstand
from tests.xapi.lrs import Provider, statement

EDGE = "edge"


def sha2_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def describe(content: bytes, **parts: Any) -> dict[str, Any]:
    return {
        "usageType": "http://example.test/usage",
        "display": {"en": "a file"},
        "contentType": "text/plain",
        "length": len(content),
        "sha2": sha2_of(content),
        **parts,
    }


def part(content: bytes, *headers: str) -> bytes:
    return "".join(f"{header}\r\n" for header in headers).encode("latin-1") + b"\r\n" + content


def attached(content: bytes, *headers: str, sha2: str | None = None) -> bytes:
    return part(
        content,
        "Content-Type: text/plain",
        "Content-Transfer-Encoding: binary",
        f"X-Experience-API-Hash: {sha2_of(content) if sha2 is None else sha2}",
        *headers,
    )


def body_of(*parts: bytes, edge: str = EDGE, close: bytes = b"--\r\n") -> bytes:
    mark = b"--" + edge.encode()
    return b"".join(mark + b"\r\n" + one + b"\r\n" for one in parts) + mark + close


def first_of(whole: Any) -> bytes:
    return part(json.dumps(whole).encode(), "Content-Type: application/json")


def send(body: bytes, content_type: str = f"multipart/mixed; boundary={EDGE}") -> dict[str, Any]:
    return {"data": body, "content_type": content_type}


FILE = b"what is in the file"
WITH_FILE = statement(attachments=[describe(FILE)])
FIRST = first_of(WITH_FILE)
WHOLE = body_of(FIRST, attached(FILE))

NESTED = 'Content-Type: multipart/mixed; boundary="inner"'
ATTACKS = [
    Attack("no boundary", "needs one boundary", send=send(WHOLE, "multipart/mixed")),
    Attack(
        "two boundaries",
        "needs one boundary",
        send=send(WHOLE, "multipart/mixed; boundary=edge; boundary=other"),
    ),
    Attack("empty boundary", "no such thing", send=send(WHOLE, 'multipart/mixed; boundary=""')),
    Attack(
        "a boundary without end",
        "no such thing",
        send=send(WHOLE, f"multipart/mixed; boundary={'x' * 71}"),
    ),
    Attack(
        "a pattern for a boundary",
        "no such thing",
        send=send(WHOLE, 'multipart/mixed; boundary="(.*)*["'),
    ),
    Attack(
        "boundary of another parameter",
        "needs one boundary",
        send=send(WHOLE, "multipart/mixed; x-boundary=edge"),
    ),
    Attack("not closed", "not closed", send=send(body_of(FIRST, attached(FILE), close=b"\r\n"))),
    Attack("nothing inside", "no parts", send=send(b"--edge--\r\n")),
    Attack("empty", "not closed", send=send(b"")),
    Attack("line feeds alone", "bare line feed", send=send(WHOLE.replace(b"\r\n", b"\n"))),
    Attack(
        "line feeds around boundaries",
        "bare line feed",
        send=send(WHOLE.replace(b"--edge\r\n", b"--edge\n").replace(b"\r\n--edge", b"\n--edge")),
    ),
    Attack(
        "line feeds before the second boundary",
        "bare line feed",
        send=send(WHOLE.replace(b"}\r\n--edge", b"}\n--edge").replace(b"file\r\n--", b"file\n--")),
    ),
    Attack(
        "line feeds in the heads of parts",
        "bare line feed",
        send=send(body_of(FIRST.replace(b"\r\n", b"\n"), attached(FILE))),
    ),
    Attack(
        "a line feed between headers",
        "bare line feed",
        send=send(body_of(FIRST, attached(FILE).replace(b"binary\r\n", b"binary\n"))),
    ),
    Attack(
        "a longer boundary that begins like it",
        "is not JSON",
        send=send(body_of(first_of(WITH_FILE) + b"\r\n--edges\r\n" + FIRST)),
    ),
    Attack(
        "thousands of parts",
        "more than 1000 parts",
        send=send(body_of(first_of(statement()), *[attached(b"")] * 3000)),
    ),
    Attack(
        "hundreds of thousands of false boundaries",
        "full of what looks like its boundary",
        send=send(body_of(FIRST, attached(b"\r\n--edgex" * 300_000))),
    ),
    Attack(
        "headers without end",
        "do not end within 8192 bytes",
        send=send(body_of(FIRST, b"X-A: " + b"a" * 3_000_000 + b"\r\n\r\n")),
    ),
    Attack("no end to the headers", "do not end", send=send(body_of(FIRST, b"X-A: b"))),
    Attack(
        "a header without a colon",
        "X-A: a part of the multipart body has a malformed header",
        send=send(body_of(FIRST, part(FILE, "X-A"))),
    ),
    Attack(
        "a header over two lines",
        "malformed header",
        send=send(body_of(FIRST, part(FILE, "X-A: 1", " X-Experience-API-Hash: 2"))),
    ),
    Attack(
        "a header with NUL", "malformed header", send=send(body_of(FIRST, part(FILE, "X-A: \0")))
    ),
    Attack(
        "the hash twice",
        "X-Experience-API-hash: stands twice",
        send=send(body_of(FIRST, attached(FILE, "X-Experience-API-hash: " + "0" * 64))),
    ),
    Attack(
        "nested",
        "The first part of a multipart body must be application/json",
        send=send(body_of(part(body_of(FIRST, edge="inner"), NESTED))),
    ),
    Attack(
        "first part of no type",
        "The first part of a multipart body must be application/json",
        send=send(body_of(part(json.dumps(WITH_FILE).encode()), attached(FILE))),
    ),
    Attack(
        "first part is no JSON",
        "The first part is not JSON",
        send=send(body_of(part(b"{", "Content-Type: application/json"))),
    ),
    Attack(
        "wrong hash",
        "X-Experience-API-Hash: 0000",
        send=send(body_of(FIRST, attached(FILE, sha2="0" * 64))),
    ),
    Attack(
        "hash of another kind",
        "X-Experience-API-Hash: is required",
        send=send(body_of(FIRST, attached(FILE, sha2=hashlib.md5(FILE).hexdigest()))),  # noqa: S324
    ),
    Attack(
        "no hash",
        "X-Experience-API-Hash: is required",
        send=send(body_of(FIRST, part(FILE, "Content-Transfer-Encoding: binary"))),
    ),
    Attack(
        "no transfer encoding",
        "Content-Transfer-Encoding: must be binary",
        send=send(body_of(FIRST, part(FILE, f"X-Experience-API-Hash: {sha2_of(FILE)}"))),
    ),
    Attack(
        "base64",
        "Content-Transfer-Encoding: must be binary",
        send=send(
            body_of(
                FIRST,
                part(
                    FILE,
                    "Content-Transfer-Encoding: base64",
                    f"X-Experience-API-Hash: {sha2_of(FILE)}",
                ),
            )
        ),
    ),
    Attack(
        "an attachment that no statement names",
        "no statement names the attachment",
        send=send(body_of(FIRST, attached(FILE), attached(b"smuggled"))),
    ),
    Attack(
        "a statement whose attachment is missing",
        "[0].attachments: ",
        send=send(body_of(FIRST)),
    ),
    Attack("attachments over JSON alone", "[0].attachments: ", send={"json": WITH_FILE}),
    Attack(
        "a type that would be two headers",
        "attachments[0].contentType: must be an internet media type",
        send=send(
            body_of(
                first_of(
                    statement(
                        attachments=[describe(FILE, contentType="text/plain\r\nX-Evil: 1\r\n;")]
                    )
                ),
                attached(FILE),
            )
        ),
    ),
    Attack(
        "a type with more lines after",
        "attachments[0].contentType",
        send=send(
            body_of(
                first_of(
                    statement(attachments=[describe(FILE, contentType="text/plain; a=b\r\n\r\nx")])
                ),
                attached(FILE),
            )
        ),
    ),
    Attack(
        "form data", "Content-Type: must be", send=send(WHOLE, "multipart/form-data; boundary=edge")
    ),
]


@pytest.fixture
def lrs(app: Flask) -> Provider:
    return Provider(app)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
def test_it_is_refused(lrs: Provider, attack: Attack, caplog: pytest.LogCaptureFixture) -> None:
    withstand(lrs, attack, caplog)


def test_what_looks_like_the_boundary_is_content(lrs: Provider) -> None:
    tricky = b"a\r\n--edges\r\n\r\nb\r\n--edge--not\r\n-\r\n-edge\r\n--EDGE\r\n"
    whole = statement(attachments=[describe(tricky)])
    body = b"a preamble\r\n" + body_of(first_of(whole), attached(tricky)) + b"and an epilogue"
    answer = lrs.ask("POST", **send(body))
    assert answer.json == [whole["id"]]
    got = lrs.ask("GET", query_string={"statementId": whole["id"], "attachments": "true"})
    assert b"\r\n\r\n" + tricky + b"\r\n--" in got.data


def test_memory_is_the_body_and_what_it_attaches(lrs: Provider) -> None:
    """Nine million bytes in three hundred parts: never more than three times that is held."""
    files = [number.to_bytes(4, "big") * 7_500 for number in range(300)]
    whole = statement(attachments=[describe(one) for one in files])
    body = body_of(first_of(whole), *(attached(one) for one in files))
    tracemalloc.start()
    try:
        answer = lrs.ask("POST", **send(body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 200, answer.text
    assert peak < 5 * len(body)  # the test's own client holds two


def test_a_body_that_is_too_long_takes_no_memory(lrs: Provider) -> None:
    class Endless:
        """A body that is made while it is read; nobody should read far."""

        taken = 0

        def read(self, size: int = -1) -> bytes:
            assert size >= 0, "read without a bound"
            self.taken += size
            return b"x" * size

        readline = read

    def peak_of(length: int | None, **headers: str) -> tuple[int, int, int]:
        endless = Endless()
        told: dict[str, Any] = {"wsgi.input": endless}
        if length is None:
            told |= {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        else:
            told["CONTENT_LENGTH"] = str(length)
        kind = "multipart/mixed; boundary=edge"
        tracemalloc.start()
        try:
            answer = lrs.ask("POST", content_type=kind, environ_overrides=told)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        return answer.status_code, endless.taken, peak

    status, taken, peak = peak_of(50 * 1024 * 1024)
    assert (status, taken) == (413, 0)
    assert peak < 2_000_000
    status, taken, peak = peak_of(None)
    assert status == 413
    assert taken <= 33 * 1024 * 1024
    assert peak < 80 * 1024 * 1024  # read in growing pieces, joined once
