"""The body of a request: read once, and never more of it than may be held in memory."""

from __future__ import annotations

from flask import Request, current_app
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from xapi.lrs.documents import DOCUMENT_MOST
from xapi.lrs.errors import Oversized, Refused, UnknownForm

# What is longer, or does not say how long it is, is read only for those who prove who they are.
STRANGERS_MOST = 1024 * 1024  # bytes


def is_heavy(request: Request) -> bool:
    """Tell whether the body is more than a stranger may make this process hold."""
    length = request.content_length
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    return chunked or (length is not None and length > STRANGERS_MOST)


def read_body(request: Request) -> bytes:
    """Return the body as it came.

    Raises Oversized where it is longer than is taken (whether or not its length was told before),
    UnknownForm where it is compressed, Refused where it ends before it said.
    """
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise UnknownForm("Content-Encoding: send the body as it is, not compressed.")
    most = _most(request)
    request.max_content_length = most
    try:
        return request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise Oversized(
            f"The body is too long: at most {most} bytes are taken at once. Nothing was stored."
        ) from None
    except ClientDisconnected:
        raise Refused("Content-Length: more was announced than came. Nothing was stored.") from None


def _most(request: Request) -> int:
    """Return how many bytes are taken: attachments weigh more than JSON or a document may."""
    whole: int = current_app.config["LMS_LRS_BODY_MOST_BYTES"]
    if request.mimetype == "multipart/mixed":
        return whole
    json: int = current_app.config["LMS_LRS_JSON_MOST_BYTES"]
    return min(whole, max(DOCUMENT_MOST, json))
