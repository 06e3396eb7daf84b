"""The body of a request: read once, and never more of it than may be held in memory."""

from __future__ import annotations

from flask import Request, current_app
from werkzeug.datastructures import Headers
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from xapi.lrs.documents import DOCUMENT_MOST
from xapi.lrs.errors import LengthRequired, Oversized, Refused, UnknownForm

# What is longer, or does not say how long it is, is read only for those who prove who they are.
STRANGERS_MOST = 1024 * 1024  # bytes


def is_heavy(request: Request) -> bool:
    """Tell whether the body is more than a stranger may make this process hold."""
    length = request.content_length
    return "Transfer-Encoding" in request.headers or (
        length is not None and length > STRANGERS_MOST
    )


def read_body(request: Request) -> bytes:
    """Return the body as it came, whole.

    Raises Oversized where it is longer than is taken (whether or not its length was told before),
    UnknownForm where it is compressed, Refused where it is shorter or longer than it said: servers
    hand on what came of a body whose connection broke.
    """
    _check_codings(request)
    told, most = request.content_length, _most(request)
    request.max_content_length = most + 1  # a chunked body is cut off there, without a word
    try:
        body = request.get_data(cache=True)
    except RequestEntityTooLarge:
        body = None
    except ClientDisconnected:
        body = b""
    if body is None or len(body) > most:
        raise Oversized(
            f"The body is too long: at most {most} bytes are taken at once. Nothing was stored."
        )
    if told is not None and len(body) != told:
        raise Refused(
            f"Content-Length: {told} bytes were announced, and others came. Nothing was stored."
        )
    return body


def check_whole(headers: Headers) -> None:
    """Raise LengthRequired unless the length of the body was announced.

    For bodies that do not show by themselves where they end: half a document is none.
    """
    if "Transfer-Encoding" in headers:
        raise LengthRequired("Content-Length: is required here, so that nothing is cut off unseen.")


def _check_codings(request: Request) -> None:
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise UnknownForm("Content-Encoding: send the body as it is, not compressed.")
    transfer = request.headers.get("Transfer-Encoding")
    if transfer is None:
        return
    if transfer.strip().lower() != "chunked":
        raise UnknownForm("Transfer-Encoding: must be chunked, or not be given.")
    if request.content_length is not None:
        raise Refused("Content-Length: does not go together with Transfer-Encoding")


def _most(request: Request) -> int:
    """Return how many bytes are taken: attachments weigh more than JSON or a document may."""
    whole: int = current_app.config["LMS_LRS_BODY_MOST_BYTES"]
    if request.mimetype == "multipart/mixed":
        return whole
    json: int = current_app.config["LMS_LRS_JSON_MOST_BYTES"]
    return min(whole, max(DOCUMENT_MOST, json))
