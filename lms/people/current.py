"""Who is asking: the person of the present request."""

from __future__ import annotations

from flask import current_app, g

from lms.errors import NotAllowed
from lms.people.models import Person


def find_current_person() -> Person | None:
    """Return the signed-in person, or None."""
    found: Person | None = g.get("lms_person")
    return found


def current_person() -> Person:
    """Return the signed-in person; raises NotAllowed where nobody is (a view's own fault)."""
    person = find_current_person()
    if person is None:
        raise NotAllowed("Sign in first.")
    return person


def forget_person() -> None:
    """Let the rest of this request be nobody's: what answers an error asks no database who it was.

    Flask-Login would look the person up as soon as a template is rendered.
    """
    g.lms_person = None
    manager = getattr(current_app, "login_manager", None)
    if manager is not None:
        g._login_user = manager.anonymous_user()
