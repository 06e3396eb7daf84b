"""Pages of other sites that call the store (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol).

Content that is hosted elsewhere sends statements from the learner's browser. A credential names the
origins whose pages may use it, none unless somebody wrote them. The question that a browser asks
first (the preflight) carries no credential: it is answered for an origin that any credential in use
allows. The request itself is held against the credential that it shows. Cookies are never taken
(no Access-Control-Allow-Credentials).
"""

from __future__ import annotations

from urllib.parse import urlsplit

import orjson
from flask import Response, current_app, g, request

from xapi.lrs import sql
from xapi.lrs.calls import VERSION_HEADER
from xapi.lrs.errors import Forbidden
from xapi.lrs.scopes import Caller

MAX_AGE_SECONDS = 600
_FIND = "SELECT origins FROM xapi_credential WHERE revoked_at IS NULL AND origins <> {one}"
# What scripts may read of an answer, beside what browsers always show them.
_EXPOSED = ", ".join(
    (
        "ETag",
        "Last-Modified",
        "Retry-After",
        VERSION_HEADER,
        "X-Experience-API-Consistent-Through",
    )
)
# What scripts may send; a wildcard would not stand for Authorization.
_TAKEN = ", ".join(
    (
        "Authorization",
        "Content-Type",
        VERSION_HEADER,
        "If-Match",
        "If-None-Match",
        "Accept-Language",
        "Cache-Control",
        "X-Requested-With",
    )
)
_METHODS = "GET, HEAD, PUT, POST, DELETE"


def find_foreign() -> str | None:
    """Return the origin of the other site whose page makes the request; None where none does.

    Empty where it is another site's, and the browser does not say which: a picture, a link.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site in ("same-origin", "none") or (site is None and origin is None):
        return None
    if site is None and origin in _own():  # a browser older than Sec-Fetch-Site
        return None
    return origin or ""


def check_named() -> None:
    """Raise Forbidden where a page of another site asks that no credential could allow."""
    if find_foreign() in ("", "null"):
        # A browser that was once given a key would add it to what any other page makes it send.
        raise Forbidden("Pages of other sites may not call this record store without an Origin.")


def check_allowed(caller: Caller) -> None:
    """Raise Forbidden unless the page that makes the request may use this credential."""
    g.xapi_caller = caller
    origin = find_foreign()
    if origin is not None and origin not in caller.origins:
        raise Forbidden(
            f"Pages of other sites may not use this credential unless it names them: {origin[:80]} "
            "is none of its allowed origins."
        )


def answer_preflight() -> Response | None:
    """Answer a browser's question whether a page may ask at all; None where it is another request."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    origin = request.headers.get("Origin", "")
    if not _any_allows(origin):
        words = "No credential in use names this origin: write it to the credential's own."
        return Response(orjson.dumps({"error": words}), 403, content_type="application/json")
    response = Response(status=204, content_type="application/json")  # no page
    headers = response.headers
    headers["Access-Control-Allow-Methods"] = _METHODS
    headers["Access-Control-Allow-Headers"] = _TAKEN
    headers["Access-Control-Max-Age"] = str(MAX_AGE_SECONDS)
    if request.headers.get("Access-Control-Request-Private-Network") == "true":
        # From a page out there to a store inside (https://wicg.github.io/private-network-access/).
        headers["Access-Control-Allow-Private-Network"] = "true"
    return response


def tell_browser(response: Response) -> None:
    """Say on an answer whether the page that asked may read it; refusals it may, to say them on."""
    response.headers.add("Vary", "Origin")
    origin = find_foreign()
    if not origin or origin == "null":
        return
    caller: Caller | None = g.get("xapi_caller")
    if (caller is not None and origin in caller.origins) or (
        (caller is None or response.status_code >= 400)
        and response.status_code < 500  # or the database may be what failed
        and _any_allows(origin)
    ):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED


def _any_allows(origin: str) -> bool:
    if not origin or origin == "null":
        return False
    rows = sql.Here().execute(_FIND, "").fetchall()
    return any(origin in row[0].split() for row in rows)


def _own() -> tuple[str, str]:
    base = urlsplit(current_app.config["LMS_BASE_URL"])
    return f"{base.scheme}://{base.netloc}", request.host_url.rstrip("/")
