"""Compression: static files once for each process, pages as they are sent.

Pages hold a CSRF token, and compressing a secret beside text that an attacker chooses can leak it
(BREACH). Here the token is signed anew each second, the session cookie is SameSite=Lax so that no
other site can make a browser ask for a page with it in numbers, and what comes from the address is
not repeated on a page that holds a token; see docs/decisions/0002-the-look.md.
"""

from __future__ import annotations

import gzip

import brotli
from flask import Response, request

from lms.people.gate import is_for_machines

PAGE_TYPES = frozenset(
    {"text/html", "text/css", "text/javascript", "application/json", "image/svg+xml", "text/csv",
     "text/plain", "application/manifest+json"}
)  # fmt: skip
SMALLEST_BYTES = 700  # below, the headers of the packet cost more than what is saved
BROTLI_PAGE, BROTLI_STATIC, GZIP_PAGE, GZIP_STATIC = 4, 11, 5, 9


def best_encoding() -> str | None:
    """Return `br`, `gzip` or None: what the caller takes, the smaller first."""
    accepted = request.accept_encodings
    return next((name for name in ("br", "gzip") if accepted[name] > 0), None)


def compress(data: bytes, encoding: str, *, static: bool = False) -> bytes:
    """Compress with `br` or `gzip`; `static` spends more time for fewer bytes."""
    if encoding == "br":
        found: bytes = brotli.compress(data, quality=BROTLI_STATIC if static else BROTLI_PAGE)
        return found
    return gzip.compress(data, GZIP_STATIC if static else GZIP_PAGE, mtime=0)


def compress_page(response: Response) -> Response:
    """Compress a finished page, where it is long enough and nobody has done so already."""
    if "Accept-Encoding" not in request.headers and is_for_machines():
        return response  # nobody keeps it, so nobody has to be told what it depends on
    if (
        response.mimetype not in PAGE_TYPES
        or response.direct_passthrough
        or response.is_streamed
        or response.status_code in (204, 206, 304)
        or "Content-Encoding" in response.headers
    ):
        return response
    response.vary.add("Accept-Encoding")
    encoding = best_encoding()
    if encoding is None:
        return response
    data = response.get_data()
    if len(data) < SMALLEST_BYTES:
        return response
    response.set_data(compress(data, encoding))
    response.headers["Content-Encoding"] = encoding
    etag, _weak = response.get_etag()
    if etag is not None:
        response.set_etag(etag, weak=True)
    return response
