"""The LRS over HTTP: what every call has in common, and the resource `about`."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, current_app, g, request
from werkzeug.datastructures import Headers

from lms.db import db, writing
from lms.errors import DomainError
from lms.people.access import Who, allow
from xapi.lrs.bodies import is_heavy
from xapi.lrs.callers import find_caller
from xapi.lrs.calls import (
    ANSWERED_VERSIONS,
    VERSION_HEADER,
    Call,
    Session,
    is_alternate,
    read_call,
    read_version,
)
from xapi.lrs.crossing import answer_preflight, check_allowed, check_named, tell_browser
from xapi.lrs.errors import TooManyWrong, Unauthorized
from xapi.lrs.scopes import Caller
from xapi.lrs.wrong import count_wrong

blueprint = Blueprint("xapi_lrs", __name__, url_prefix="/xapi")

SPOKEN = ["2.0.0", "1.0.3", "1.0.2", "1.0.1", "1.0.0"]
PROOF = "Basic credentials of a learning record provider (ropes lrs credential)"


def enter() -> tuple[Call, Session]:
    """Return the present call, and who makes it by which version; every view begins with this.

    Raises Refused where the call or its version cannot be read, Unauthorized where the caller
    does not prove to be anybody.
    """
    check_named()
    if is_heavy(request) and not is_alternate(request):
        g.xapi_version = _read_version(request.headers)
        with writing(False):  # nobody else waits while the body comes
            _prove(request.headers)
            db.session.rollback()
    call = read_call(request)
    g.xapi_version = version = _read_version(call.headers)
    return call, Session(_prove(call.headers), version)


def _read_version(headers: Headers) -> int:
    """Return the major version of a call; one that names none is refused in its caller's own.

    The version in which to refuse is left to us (1.0.3, Communication 3.3; 2.0, 4.1.5): clients
    read the header before the sentence, so it is the one that the caller is known to speak.
    """
    if VERSION_HEADER not in headers:
        caller = _find_caller(headers)
        g.xapi_version = 1 if caller is None else caller.version
    return read_version(headers)


def _find_caller(headers: Headers) -> Caller | None:
    shown = headers.get("Authorization", "")
    caller = find_caller(shown)
    if caller is None and shown:  # some clients ask without first, to hear what is wanted
        count_wrong(shown)
    return caller


def _prove(headers: Headers) -> Caller:
    caller = _find_caller(headers)
    if caller is None:
        raise Unauthorized("This needs a key and secret that are known here (HTTP Basic).")
    check_allowed(caller)
    return caller


@blueprint.before_request
def _answer_preflight() -> Response | None:
    return answer_preflight()


@blueprint.after_request
def _say_what_all_say(response: Response) -> Response:
    # A stranger who named no version, or none of ours, is answered in the one that most speak.
    response.headers[VERSION_HEADER] = ANSWERED_VERSIONS[g.get("xapi_version", 1)]
    tell_browser(response)
    return response


@blueprint.errorhandler(DomainError)
def _answer_refused(error: DomainError) -> Response:
    response = json_answer(orjson.dumps({"error": str(error)}), error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="xAPI", charset="UTF-8"'
    if isinstance(error, TooManyWrong):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def json_answer(body: bytes, status: int = 200) -> Response:
    """Return an answer in JSON."""
    return Response(body, status, content_type="application/json")


@blueprint.get("/about")
@allow(Who.PUBLIC, reason="the standard has it answer before a client knows which version to speak")
def about() -> Response:
    """Say which versions of the standard this LRS speaks (Communication 2.8)."""
    name = f"{current_app.config['LMS_HOME_PAGE'].rstrip('/')}/xapi/extensions/product"
    return json_answer(orjson.dumps({"version": SPOKEN, "extensions": {name: "Ropes"}}))
