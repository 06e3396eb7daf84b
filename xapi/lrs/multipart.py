"""Statements with their attachments, in and out: multipart/mixed (Communication 1.5.2). Pure."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xapi.lrs.errors import Refused, shown

HASH_HEADER = "x-experience-api-hash"
BARE_LINES = (
    "The lines of the multipart body end with a bare line feed. Each has to end with a carriage "
    "return and a line feed, as RFC 2046 asks: the boundaries, the headers of each part, and the "
    "empty line after them."
)
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]*)"|([^\s;"]*))', re.I)
# RFC 2046, 5.1.1; not even its blank, which no program writes.
_BOUNDARY_CHARACTERS = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}")
_PARTS_MOST = 1000
_HEADS_MOST = 8192  # bytes of all headers of a part
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BY_LENGTH = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}

Part = tuple[dict[str, str], memoryview]


def read_parts(body: bytes, content_type: str) -> list[Part]:
    """Return the parts of a multipart body: headers in lower case, and content as it came.

    The contents are windows on `body`: nothing of it is copied.
    """
    boundary = _read_boundary(content_type)
    whole = memoryview(body)
    parts: list[Part] = []
    start: int | None = None
    for number, (end, following, closes) in enumerate(_delimiters(body, boundary)):
        if number > _PARTS_MOST:
            raise Refused(f"The multipart body has more than {_PARTS_MOST} parts.")
        if start is not None:
            headers, content = _read_head(body, start, end)
            parts.append((headers, whole[content:end]))
        if closes:
            if not parts:
                raise Refused("The multipart body has no parts.")
            return parts
        start = following
    if _has_bare_lines(body, boundary):
        raise Refused(BARE_LINES)
    raise Refused("The multipart body is not closed by its boundary.")


def _read_boundary(content_type: str) -> bytes:
    found = _BOUNDARY.findall(content_type)
    if len(found) != 1:
        raise Refused("Content-Type: multipart/mixed needs one boundary")
    boundary: str = found[0][0] or found[0][1]
    if not _BOUNDARY_CHARACTERS.fullmatch(boundary):
        raise Refused("Content-Type: the boundary of multipart/mixed is no such thing (RFC 2046)")
    return b"--" + boundary.encode()


def _delimiters(body: bytes, boundary: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield where each delimiter stands: end of what is before it, its own end, whether it closes.

    What merely begins like the boundary is content (another boundary that is longer, for one).
    """
    line = b"\r\n" + boundary
    place = -2 if body.startswith(boundary) else body.find(line)
    seen = 0
    while place != -1:
        seen += 1
        if seen > 10 * _PARTS_MOST:  # looking at each would be the sender's to decide
            raise Refused("The multipart body is full of what looks like its boundary.")
        after = place + len(line)
        closes = body.startswith(b"--", after)
        rest = after + 2 if closes else after
        stop = body.find(b"\r\n", rest, rest + 80)
        ends_here = rest == len(body) if stop == -1 else not body[rest:stop].strip(b" \t")
        if ends_here:
            yield max(place, 0), len(body) if stop == -1 else stop, closes
        place = body.find(line, after)


def _has_bare_lines(body: bytes, boundary: bytes) -> bool:
    """Tell whether a boundary stands where a line ends, or ends one, without a carriage return."""
    line = re.escape(boundary)
    bare = rb"(?:\A|\n)" + line + rb"(?:--)?[ \t]{0,80}\n|(?<!\r)\n" + line
    return re.search(bare, body) is not None


def _read_head(body: bytes, start: int, end: int) -> tuple[dict[str, str], int]:
    """Return the headers of the part between, and where its content begins."""
    stop = body.find(b"\r\n\r\n", start, min(end, start + _HEADS_MOST))
    if stop == -1:
        if body.find(b"\n\n", start, min(end, start + _HEADS_MOST)) != -1:
            raise Refused(BARE_LINES)
        raise Refused(
            f"The headers of a part of the multipart body do not end within {_HEADS_MOST} bytes."
        )
    headers: dict[str, str] = {}
    for line in body[start:stop].decode("latin-1").split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        key = name.lower()
        if (
            not colon
            or not _HEADER_NAME.fullmatch(name)
            or not value.replace("\t", "").isprintable()
        ):
            if "\n" in line:
                raise Refused(BARE_LINES)
            raise Refused(f"{shown(name)}: a part of the multipart body has a malformed header")
        if key in headers:
            raise Refused(f"{shown(name)}: stands twice among the headers of a part")
        headers[key] = value.strip()
    return headers, stop + 4


def read_attachments(parts: Sequence[Part]) -> dict[str, tuple[str, bytes]]:
    """Return the attachments of the parts after the first: media type and bytes, by their hash."""
    found: dict[str, tuple[str, bytes]] = {}
    for headers, content in parts:
        if headers.get("content-transfer-encoding", "").lower() != "binary":
            raise Refused("Content-Transfer-Encoding: must be binary for an attachment")
        sha2 = headers.get(HASH_HEADER, "").lower()
        algorithm = _BY_LENGTH.get(len(sha2))
        if algorithm is None:
            raise Refused("X-Experience-API-Hash: is required of an attachment")
        if hashlib.new(algorithm, content).hexdigest() != sha2:
            raise Refused(
                f"X-Experience-API-Hash: {shown(sha2)} is not the hash of what was attached"
            )
        found[sha2] = (headers.get("content-type", "application/octet-stream"), bytes(content))
    return found


def attachments_of(statement: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a statement, and a statement inside it, says of its attachments."""
    yield from statement.get("attachments", ())
    yield from statement["object"].get("attachments", ())


def match(
    statements: Sequence[dict[str, Any]], attached: Mapping[str, tuple[str, bytes]]
) -> dict[str, bytes]:
    """Return the attached bytes by hash; raises Refused where words and bytes do not belong together."""
    named: set[str] = set()
    for number, statement in enumerate(statements):
        for attachment in attachments_of(statement):
            sha2 = attachment["sha2"].lower()
            named.add(sha2)
            if sha2 not in attached and "fileUrl" not in attachment:
                raise Refused(
                    f"[{number}].attachments: {sha2} is neither attached nor has it a fileUrl"
                )
    for sha2 in attached:
        if sha2 not in named:
            raise Refused(f"X-Experience-API-Hash: no statement names the attachment {sha2}")
    return {sha2: content for sha2, (_, content) in attached.items()}


def write(json: bytes, attachments: Sequence[tuple[str, str, bytes]]) -> tuple[bytes, str]:
    """Return a multipart body and its Content-Type; attachments are (hash, media type, bytes)."""
    boundary = secrets.token_hex(16)
    pieces = [f"--{boundary}\r\nContent-Type: application/json\r\n\r\n".encode(), json]
    for sha2, media_type, content in attachments:
        pieces.append(
            (
                f"\r\n--{boundary}\r\nContent-Type: {media_type}\r\n"
                f"Content-Transfer-Encoding: binary\r\nX-Experience-API-Hash: {sha2}\r\n\r\n"
            ).encode()
        )
        pieces.append(content)
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    return b"".join(pieces), f"multipart/mixed; boundary={boundary}"
