"""The gate: before every request, who is asking and whether the view's declaration lets them in.

It decides in one place, from what `@allow` declared:

- a route that declares nothing does not exist (404);
- a view for those who have signed in sends others to the sign-in page, which brings them back;
- no right and no such thing look the same (404).

People are looked up anew at every request: who was suspended is out at the next one.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import current_app, redirect, request, url_for
from sqlalchemy import select

from lms.db import db
from lms.errors import NotFound, NotSignedIn
from lms.people.access import MACHINES_ALONE, RELATIONS, Declaration, Who, declaration_of
from lms.people.current import find_current_person
from lms.people.models import WAY_BACK_MAX_CHARS, Person
from lms.people.tree import is_above

SIGN_IN_PATH = "/sign-in"
OPEN = frozenset({Who.PUBLIC, Who.MACHINE})


def enforce() -> Any:
    """Answer the request here unless the view's declaration lets the person in."""
    if request.endpoint is None:
        return None  # the router's own 404, 405 or redirect
    declared = declaration_for(request.endpoint)
    if declared is None:
        raise NotFound("There is nothing here.")
    if declared.who & OPEN:
        return None
    person = find_current_person()
    if person is None:
        return send_to_sign_in()
    if not admits(declared, person, request.view_args or {}):
        raise NotFound("There is nothing here.")
    return None


def declaration_for(endpoint: str) -> Declaration | None:
    """Return what the view behind an endpoint declared; a package's own static files are public."""
    view = current_app.view_functions[endpoint]
    declared = declaration_of(view)
    if declared is None and endpoint.endswith(".static"):
        return Declaration(frozenset({Who.PUBLIC}), None, "files that ship with the package")
    return declared


def is_for_machines() -> bool:
    """Whether the present route is open to machines alone: no session or person, no browser."""
    view = current_app.view_functions.get(request.endpoint or "")
    declared = None if view is None else declaration_of(view)
    return declared is not None and declared.who == MACHINES_ALONE


def admits(declared: Declaration, viewer: Person, values: dict[str, Any]) -> bool:
    """Whether a declaration lets `viewer` open the address with these values."""
    held = {
        Who.SIGNED_IN: True,
        Who.AUTHOR: viewer.is_author,
        Who.MANAGER: viewer.is_manager,
        Who.ADMINISTRATOR: viewer.is_administrator,
    }
    if any(held.get(who, False) for who in declared.who):
        return True
    if not declared.who & RELATIONS:
        return False
    subject = find_subject(declared, values)
    if subject is None:
        return False
    if Who.SELF in declared.who and subject.id == viewer.id:
        return True
    return Who.ABOVE in declared.who and is_above(viewer, subject)


def find_subject(declared: Declaration, values: dict[str, Any]) -> Person | None:
    """Return the person that an address is about, or None."""
    if declared.owner is not None:
        owner_id = declared.owner(**values)
        return None if owner_id is None else db.session.get(Person, owner_id)
    uid = values.get("person_uid")
    if uid is None:
        return None
    return db.session.scalar(select(Person).where(Person.uid == uid))


def send_to_sign_in() -> Any:
    """Send a browser to the sign-in page with the way back; a script gets 401 in words."""
    accepted = request.accept_mimetypes
    if accepted.best_match(["text/html", "application/json"]) == "application/json":
        raise NotSignedIn("You are signed out. Sign in again; what you did here is kept.")
    back = request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else ""
    return redirect(sign_in_url(back))


def sign_in_url(back: str = "") -> str:
    """Return the sign-in page's address, with a way back that `is_safe_way_back` accepts."""
    home = url_for("web.home")
    if not back or back == home or not is_safe_way_back(back):
        return SIGN_IN_PATH
    return f"{SIGN_IN_PATH}?{urlencode({'next': back})}"


def is_safe_way_back(target: str) -> bool:
    """Whether `target` is a path on this very site: never another host, scheme or trick with `\\`."""
    if not target.startswith("/") or target.startswith("//") or len(target) > WAY_BACK_MAX_CHARS:
        return False
    if "\\" in target or any(ord(char) < 32 or ord(char) == 127 for char in target):
        return False
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc
