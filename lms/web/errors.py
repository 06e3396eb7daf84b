"""Errors as people and machines see them: what happened, what was kept, what to do.

An error is answered with nothing but what the process holds: no database is asked, not even who is
signed in, since the database may be what is away.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from lms.db import abandon
from lms.errors import DomainError
from lms.outage import DATABASE, is_outage, outages
from lms.people.current import forget_person
from lms.people.gate import is_for_machines
from lms.web.again import form_values

log = logging.getLogger(__name__)
INCIDENT_BYTES = 4
RETRY_SECONDS = 5
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def init_app(app: Flask) -> None:
    """Answer every status of 400 and above in our own words."""
    app.register_error_handler(CSRFError, answer_stale)
    app.register_error_handler(HTTPException, answer_http)


def wants_json() -> bool:
    """Whether the caller is a script: it prefers JSON to a page, or came in by a machines' door."""
    parts = current_app.extensions["lms.parts"]
    doors = {one.name: one.url_prefix for part in parts for one in part.csrf_exempt}
    if request.blueprint in doors:
        return True
    accepted = request.accept_mimetypes
    if request.blueprint is None and "text/html" not in accepted.values():
        # No such address, or method, behind a door of theirs; a browser would name a page.
        within = (prefix for prefix in doors.values() if prefix)
        if any(request.path.startswith(f"{prefix}/") for prefix in within):
            return True
    return accepted.best_match(["text/html", "application/json"]) == "application/json"


def answer_error(error: DomainError) -> Response:
    """Turn a domain error into a page, or into `{"error": ...}` for those who prefer JSON."""
    said = str(error) if is_for_machines() else error.message
    return _answer(error.status, said, _what_next(error.status))


def answer_database_error(error: SQLAlchemyError, *, in_doubt: bool = False) -> Response:
    """Answer 503 where the database is away, and say what was kept; raises what is a fault of ours.

    in_doubt: the connection broke while the commit was asked for, and nobody can say what came of it.
    """
    if not is_outage(error):
        raise error
    outages.failed(DATABASE, error)
    title = _("The database does not answer just now")
    if request.method in READING:
        text = _("Nothing of yours is lost. Try once more in a minute.")
    elif in_doubt:
        text = _(
            "It is not certain whether what you sent just now was saved: look, before you send it "
            "again. What you had saved before is kept."
        )
    else:
        text = _(
            "What you sent just now was not saved. What you had saved before is kept. "
            "Send it again in a minute."
        )
    answer = _answer(503, title, text, tell_all=True, again=not in_doubt)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def answer_http(error: HTTPException) -> Response:
    """Turn one of the web's own errors (404, 405, 413, ... and 500) into a page or JSON."""
    status = error.code or 500
    if status < 400:  # a redirect, raised rather than returned
        return make_response(error.get_response())
    if status != 500:
        answer = _answer(status, _title(status), _what_next(status))
        for name, value in error.get_headers():
            if name not in ("Content-Type", "Content-Length"):
                answer.headers[name] = value
        return answer
    incident = secrets.token_hex(INCIDENT_BYTES)
    cause = getattr(error, "original_exception", None)
    log.error("incident %s at %s: %s", incident, request.endpoint, type(cause).__name__)
    return _answer(status, _title(status), _what_next(status), incident=incident)


def answer_stale(error: CSRFError) -> Response:
    """Answer a form whose token is missing or of another session."""
    return _answer(
        400,
        _("This page was open for a long time"),
        _(
            "We could not be sure that it was you who sent it, so nothing was changed and "
            "nothing is lost. Go back, and send it once more."
        ),
        back=_same_site(request.referrer),
    )


def _answer(
    status: int,
    title: str,
    text: str,
    incident: str | None = None,
    back: str | None = None,
    *,
    tell_all: bool = False,
    again: bool = False,
) -> Response:
    """Answer in the caller's language. tell_all: scripts get both sentences; again: offer to resend."""
    with contextlib.suppress(SQLAlchemyError):
        get_locale()  # the person's own, while it can still be known
    abandon()
    forget_person()
    if wants_json():
        said = f"{title}. {text}" if tell_all else title
        response = jsonify(error=said, **({"incident": incident} if incident else {}))
    else:
        values = form_values() if again else None
        response = make_response(_page(title, text, incident, back, values))
        response.headers["Cache-Control"] = "no-store"
    response.status_code = status
    return response


def _page(
    title: str,
    text: str,
    incident: str | None,
    back: str | None,
    values: list[tuple[str, str]] | None,
) -> str:
    try:
        return render_template(
            "web/error.html", title=title, text=text, incident=incident, back=back, values=values
        )
    except Exception:  # whatever it is: an empty page says nothing
        log.exception("the page of an error could not be rendered")
        return (
            f'<!doctype html><meta charset="utf-8"><title>{escape(title)}</title>'
            f"<h1>{escape(title)}</h1><p>{escape(text)}</p>"
        )


def _same_site(address: str | None) -> str | None:
    """Return the path of an address of our own, or None."""
    if not address:
        return None
    parts = urlsplit(address)
    if parts.netloc != request.host or not parts.path.startswith("/") or parts.path[:2] == "//":
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _title(status: int) -> str:
    titles: dict[int, str] = {
        400: _("We could not read that"),
        401: _("Sign in first"),
        403: _("This is not yours to open"),
        404: _("There is nothing here"),
        405: _("This page cannot be opened that way"),
        408: _("That took too long"),
        410: _("This is no longer here"),
        413: _("That is too large to send"),
        415: _("We cannot read that kind of file"),
        429: _("That was a little fast"),
        500: _("Something went wrong on our side"),
        503: _("We are not quite there yet"),
    }
    return titles.get(status) or (titles[400] if status < 500 else titles[500])


def _what_next(status: int) -> str:
    steps: dict[int, str] = {
        401: _("Then you will come back to where you were."),
        404: _("The address may be old, or the page may not be for you. Nothing of yours is lost."),
        405: _("Start from your own page. Nothing of yours is lost."),
        410: _("Ask whoever sent it to you for a new one."),
        413: _("Nothing was changed. Choose a smaller file, and send it once more."),
        429: _("Wait a minute, then try once more. Nothing of yours is lost."),
        500: _("What you had saved is kept. Try once more in a minute."),
        503: _("What you had saved is kept. Try once more in a minute."),
    }
    return steps.get(status) or str(_("Nothing was changed. Go back and try once more."))
