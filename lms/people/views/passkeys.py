"""Passkeys: Flask-Security's WebAuthn views, spoken to as JSON, each with an access declaration."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, abort, request
from flask_login import current_user
from flask_security.webauthn import (
    webauthn_delete,
    webauthn_register,
    webauthn_register_response,
    webauthn_signin,
    webauthn_signin_response,
)

from lms.errors import NotFound
from lms.people.access import Who, allow
from lms.people.security import enter, leave, passkeys_work_here

# Flask-Security asks for its views under this name.
blueprint = Blueprint("security", __name__, url_prefix="/passkeys")

NOT_YET = "whoever opens it has not signed in yet"


def _where_they_work(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer 404 where browsers allow no passkeys (no HTTPS, a bare number as address).

    And 415 to a form: Flask-Security would show a page of its own, which there is not.
    """

    @wraps(view)
    def guarded(**values: Any) -> Any:
        if not passkeys_work_here():
            raise NotFound("Passkeys need HTTPS.")
        if not request.is_json:
            abort(415)
        return view(**values)

    return guarded


def _sign_in_response(token: str) -> Any:
    """Let Flask-Security check the answer of the device, then begin a new session."""
    answer = webauthn_signin_response(token)
    if hasattr(current_user, "fs_uniquifier"):
        identity = current_user._get_current_object()
        if identity.active:
            enter(identity, "passkey")
        else:
            leave()
    return answer


blueprint.add_url_rule(
    "/sign-in",
    "wan_signin",
    allow(Who.PUBLIC, reason=NOT_YET)(_where_they_work(webauthn_signin)),
    methods=["POST"],
)
blueprint.add_url_rule(
    "/sign-in/<token>",
    "wan_signin_response",
    allow(Who.PUBLIC, reason=NOT_YET)(_where_they_work(_sign_in_response)),
    methods=["POST"],
)
for _path, _name, _view in (
    ("/new", "wan_register", webauthn_register),
    ("/new/<token>", "wan_register_response", webauthn_register_response),
    ("/remove", "wan_delete", webauthn_delete),
):
    blueprint.add_url_rule(
        _path, _name, allow(Who.SIGNED_IN)(_where_they_work(_view)), methods=["POST"]
    )
