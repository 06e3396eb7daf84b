"""Statements with their attachments, in and out: multipart/mixed (Communication 1.5.2). Pure."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xapi.lrs.errors import Refused

HASH_HEADER = "x-experience-api-hash"
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))', re.I)
_PARTS_MOST = 1000
_BY_LENGTH = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}

Part = tuple[dict[str, str], bytes]


def read_parts(body: bytes, content_type: str) -> list[Part]:
    """Return the parts of a multipart body: headers in lower case, and content as it came."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Refused("Content-Type: multipart/mixed needs a boundary")
    boundary = b"--" + (found[1] or found[2]).encode("latin-1", "replace")
    pieces = (b"\r\n" + body).split(b"\r\n" + boundary)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise Refused("The multipart body is not closed by its boundary.")
    if len(pieces) > _PARTS_MOST:
        raise Refused("The multipart body has too many parts.")
    parts = []
    for piece in pieces[1:-1]:
        head, separator, content = piece.partition(b"\r\n\r\n")
        if not separator:
            raise Refused("A part of the multipart body has no end to its headers.")
        headers = {}
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        parts.append((headers, content))
    return parts


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
            raise Refused(f"X-Experience-API-Hash: {sha2} is not the hash of what was attached")
        found[sha2] = (headers.get("content-type", "application/octet-stream"), content)
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
