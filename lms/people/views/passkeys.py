"""Passkeys: Flask-Security's WebAuthn views, spoken to as JSON, each with an access declaration."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, abort, request
from flask_babel import gettext as _
from flask_login import current_user
from flask_security.signals import wan_registered
from flask_security.webauthn import (
    webauthn_register,
    webauthn_register_response,
    webauthn_signin,
    webauthn_signin_response,
)

from lms.errors import Conflict, NotAllowed, NotFound
from lms.people import limits, sign_in_log
from lms.people.access import Who, allow
from lms.people.current import find_current_person
from lms.people.models import Identity
from lms.people.security import enter, is_fresh, leave, passkeys_work_here
from lms.people.views.sign_in import too_many
from lms.people.ways_in import note_passkey_added

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


def _while_fresh(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer 403 to a session whose person has not proved lately who they are.

    At both steps: Flask-Security asks at the first one only, and any session's first step will do
    for the second.
    """

    @wraps(view)
    def guarded(**values: Any) -> Any:
        if not is_fresh():
            raise NotAllowed(_("You signed in a while ago. Sign out and in again, then come back."))
        return view(**values)

    return guarded


def _sign_in_response(token: str) -> Any:
    """Let Flask-Security check the answer of the device, then begin a new session."""
    if find_current_person() is not None:  # a wrong answer must not look like a right one
        raise Conflict(_("Somebody is signed in here already. Sign out first."))
    answer = webauthn_signin_response(token)
    if not hasattr(current_user, "fs_uniquifier"):
        sign_in_log.failed(None, "passkey")
        return answer if limits.wrong("passkey") else too_many()
    identity = current_user._get_current_object()
    if identity.active:
        enter(identity, "passkey")
    else:
        sign_in_log.failed(identity.person, "passkey")
        leave()
    return answer


def _note_added(_app: Flask, user: Identity, **_more: Any) -> None:
    note_passkey_added(user)


wan_registered.connect(_note_added)  # Flask-Security says so when it has kept one


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
):
    blueprint.add_url_rule(
        _path, _name, allow(Who.SIGNED_IN)(_where_they_work(_while_fresh(_view))), methods=["POST"]
    )
