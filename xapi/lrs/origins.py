"""Origins: which sites' pages may use a credential, as an administrator writes them. Pure.

An origin is scheme, host and port (RFC 6454): what a browser sends as `Origin`, to the letter.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from flask_babel import gettext as _

from lms.errors import Invalid

FIELD = "origins"
MOST = 20
CHARS_MOST = 200
_USUAL_PORTS = {"https": 443, "http": 80}
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]"})


def read_origins(lines: Iterable[str]) -> tuple[str, ...]:
    """Return origins as browsers write them, each once; raises Invalid for the first that is none."""
    origins = tuple(dict.fromkeys(read_origin(line) for line in lines if line.strip()))
    if len(origins) > MOST:
        raise Invalid(_("At most %(most)s origins. Make another credential.", most=MOST), FIELD)
    return origins


def read_origin(text: str) -> str:
    """Return one origin as browsers write it; raises Invalid, with a sentence that says what to do."""
    text = text.strip()
    if text.lower() == "null":
        raise Invalid(
            _(
                "“null” is what browsers send for files and closed-off frames, whoever made them. "
                "Put the content on a web server, and write that server’s address."
            ),
            FIELD,
        )
    if "*" in text:
        raise Invalid(
            _(
                "%(origin)s: a wildcard is not taken. Write each address in full, one a line.",
                origin=text[:CHARS_MOST],
            ),
            FIELD,
        )
    try:
        parts = urlsplit(text)
        host, port = _written_as_browsers_do(parts.hostname or ""), parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in _USUAL_PORTS or not host or len(text) > CHARS_MOST:
        raise Invalid(
            _(
                "%(origin)s: write the scheme and the host, like https://content.example.com.",
                origin=text[:CHARS_MOST],
            ),
            FIELD,
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise Invalid(
            _(
                "%(origin)s: leave out what follows the host. %(short)s is enough, and stands for "
                "every page there.",
                origin=text[:CHARS_MOST],
                short=_join(parts.scheme, host, port),
            ),
            FIELD,
        )
    if parts.scheme == "http" and host not in _THIS_MACHINE:
        raise Invalid(
            _(
                "%(origin)s: write https. Over http anybody on the way could change the page, and "
                "read the secret in it.",
                origin=text[:CHARS_MOST],
            ),
            FIELD,
        )
    return _join(parts.scheme, host, port)


def _written_as_browsers_do(host: str) -> str:
    """Return a host in the letters in which browsers send it; raises ValueError where it is none."""
    if ":" in host:
        return f"[{ipaddress.IPv6Address(host)}]"
    if not host or any(char.isspace() or char in "\\%\"'<>,;" for char in host):
        raise ValueError("no host")
    return host.encode("idna").decode().lower()


def _join(scheme: str, host: str, port: int | None) -> str:
    return f"{scheme}://{host}" + ("" if port in (None, _USUAL_PORTS[scheme]) else f":{port}")
