"""Where the profile is read: by anybody, as other systems must understand our statements."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, request

from lms.errors import NotFound
from lms.people.access import Who, allow
from xapi import vocabulary
from xapi.profile.document import MEDIA_TYPE, published

blueprint = Blueprint("xapi_profile", __name__, url_prefix="/xapi/profile")

_WHY = "a description of our statements, the same everywhere; says nothing of anybody"
_HOUR_SECONDS = 3600
_YEAR_SECONDS = 365 * 24 * 3600


@blueprint.get("")
@allow(Who.PUBLIC, reason=_WHY)
def newest() -> Response:
    """Answer with the present version of the xAPI profile of Ropes."""
    return _answer(vocabulary.ROPES_VERSION, _HOUR_SECONDS)


@blueprint.get("/<version>")
@allow(Who.PUBLIC, reason=_WHY)
def one(version: str) -> Response:
    """Answer with a version of the profile; what was published is never changed."""
    return _answer(version, _YEAR_SECONDS)


def _answer(version: str, keep_seconds: int) -> Response:
    try:
        text = published(version)
    except KeyError:
        raise NotFound("There is no such version of the profile.") from None
    response = Response(text, content_type=MEDIA_TYPE)
    response.set_etag(hashlib.sha256(text).hexdigest())
    response.cache_control.public = True
    response.cache_control.max_age = keep_seconds
    # Tools that run in a page of somebody else's may read it too: it is public.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.make_conditional(request)
    return response
