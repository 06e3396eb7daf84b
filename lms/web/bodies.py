"""What a browser sends is read to its end before anything else is done for the request.

Whoever sends slowly, or never to the end, then keeps nothing of ours but their connection: no
transaction, and no connection to the database, is open while a body is waited for. Machines' doors
(`Plugin.csrf_exempt`) read theirs themselves, in the same order, each within a limit of its own.
"""

from __future__ import annotations

from flask import current_app, request, session
from flask_babel import gettext as _

from lms.errors import TooLarge
from lms.plugin import Plugin

STRANGERS_MOST = 64 * 1024  # bytes, of whoever is not signed in: a form, the answer of a passkey
PLAIN_MOST = 1024 * 1024  # bytes of anything but a form with files, which goes to the disk
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


def read_whole() -> None:
    """Read the present request's body and take its form apart; raises TooLarge."""
    if request.method in ("GET", "HEAD", "OPTIONS") or is_read_by_its_view():
        return
    stranger = "_user_id" not in session
    if stranger:
        request.max_content_length = STRANGERS_MOST
    elif request.mimetype != "multipart/form-data":
        request.max_content_length = PLAIN_MOST
    if stranger and (request.content_length or 0) > STRANGERS_MOST:
        raise TooLarge(
            _("This is more than is taken from somebody who is not signed in. Sign in first.")
        )
    if request.mimetype in FORMS:
        request.form  # noqa: B018 - taken apart here, once
    else:
        request.get_data(cache=True)


def is_read_by_its_view() -> bool:
    """Whether the present route is a machines' door: their bodies can be read only once."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    return request.blueprint in {one.name for part in parts for one in part.csrf_exempt}
