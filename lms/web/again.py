"""What a form held that could not be taken, to be offered to its sender again."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import HTTPException

MOST_FIELDS = 200
MOST_CHARS = 200_000
SECRETS = ("password", "code", "secret", "token")
OURS = "csrf_token"


def form_values() -> list[tuple[str, str]] | None:
    """Return the fields of the form that was sent, or None where they cannot be shown once more.

    Files stay with whoever sent them, and no secret is written into a page: a browser's own way
    back has both.
    """
    if request.method != "POST" or request.mimetype != "application/x-www-form-urlencoded":
        return None
    try:
        values = list(request.form.items(multi=True))
    except HTTPException:
        return None
    if len(values) > MOST_FIELDS or sum(len(value) for _name, value in values) > MOST_CHARS:
        return None
    named = {name.lower() for name, _value in values if name != OURS}
    if any(secret in name for name in named for secret in SECRETS):
        return None
    return values
