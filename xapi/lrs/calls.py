"""A call to the LRS: one request as the standard sees it, whichever way it was written.

1.0.x knows an alternate syntax for clients that can only post forms (Communication 1.3): a POST
whose only query parameter is `method`, with headers, parameters and content as form fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import Headers, LanguageAccept
from werkzeug.http import parse_accept_header

from xapi.lrs.bodies import check_whole, read_body
from xapi.lrs.credentials import Caller
from xapi.lrs.errors import Refused, shown

VERSION_HEADER = "X-Experience-API-Version"
ANSWERED_VERSIONS = {1: "1.0.3", 2: "2.0.0"}
_FORM_HEADERS = {
    name.lower(): name
    for name in (
        "Authorization",
        "Content-Type",
        "Content-Length",
        "If-Match",
        "If-None-Match",
        "Accept",
        "Accept-Language",
        VERSION_HEADER,
    )
}
# Two of these in one request, and whoever stands in front may have judged the other one.
_PROOFS = ("Authorization", VERSION_HEADER)
_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE"})


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: method, parameters (each at most once), headers and body."""

    method: str
    args: dict[str, str]
    headers: Headers
    body: bytes
    alternate: bool = False

    @property
    def content_type(self) -> str:
        """The media type of the body, in lower case and without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def languages(self) -> list[str]:
        """What Accept-Language asks for, best first."""
        asked = parse_accept_header(self.headers.get("Accept-Language", ""), LanguageAccept)
        return [tag for tag, weight in asked if weight > 0]

    def only(self, *names: str) -> None:
        """Raise Refused unless every parameter is one of these."""
        for name in self.args:
            if name not in names:
                raise Refused(f"{shown(name)}: this resource has no such parameter")

    def flag(self, name: str) -> bool:
        """Return a boolean parameter, false where it is not given."""
        value = self.args.get(name, "false")
        if value not in ("true", "false"):
            raise Refused(f"{name}: must be true or false")
        return value == "true"


@dataclass(frozen=True, slots=True)
class Session:
    """Who calls, and by which major version of the standard (1 or 2)."""

    caller: Caller
    version: int


def is_alternate(request: Request) -> bool:
    """Tell whether a request is written in the alternate syntax, which 2.0 does not know."""
    version = request.headers.get(VERSION_HEADER, "")
    return request.method == "POST" and "method" in request.args and not version.startswith("2.")


def read_call(request: Request) -> Call:
    """Return the call that a request makes; raises Refused where it is malformed."""
    args = _once(request.args.items(multi=True))
    body = read_body(request)
    if is_alternate(request):
        return _read_alternate(args, request.headers, body)
    return Call(request.method, args, request.headers, body)


def _once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise Refused(f"{shown(name)}: is given more than once")
        found[name] = value
    return found


def _read_alternate(args: dict[str, str], sent: Headers, form: bytes) -> Call:
    check_whole(sent)
    method = args.pop("method").upper()
    if args:
        raise Refused("method: in the alternate syntax it is the only query parameter")
    if method not in _METHODS:
        raise Refused("method: must be GET, HEAD, PUT, POST or DELETE")
    try:
        fields = _once(
            parse_qsl(form.decode(), keep_blank_values=True, max_num_fields=100, errors="strict")
        )
    except ValueError as error:
        raise Refused("The form of this request cannot be read.") from error
    headers = Headers(sent)
    del headers["Content-Type"]
    body = fields.pop("content", "").encode()
    for name in [name for name in fields if name.lower() in _FORM_HEADERS]:
        header, value = _FORM_HEADERS[name.lower()], fields.pop(name)
        if any(not character.isprintable() for character in value):
            raise Refused(f"{header}: a header is a single line")
        if header in _PROOFS and headers.get(header, value) != value:
            raise Refused(f"{header}: the form and the header of the request say different things")
        headers[header] = value
    if headers.get(VERSION_HEADER, "").startswith("2."):
        raise Refused("method: 2.0 does not know the alternate request syntax")
    if "\0" in "".join([*fields, *fields.values()]):
        raise Refused("The form of this request holds a NUL: no parameter may.")
    if body:
        headers.setdefault("Content-Type", "application/json")
    return Call(method, fields, headers, body, alternate=True)


def read_version(headers: Headers) -> int:
    """Return the major version a call is made in; raises Refused where it names none of ours."""
    version = headers.get(VERSION_HEADER)
    if version is None:
        raise Refused(f"{VERSION_HEADER}: this header is required")
    if version == "1.0" or version.startswith("1.0."):
        return 1
    if version == "2.0" or version.startswith("2.0."):
        return 2
    raise Refused(f"{VERSION_HEADER}: this LRS speaks 1.0.x and 2.0.x, not {version[:20]}")
