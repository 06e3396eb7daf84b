"""Who is asking: the person of the present request."""

from __future__ import annotations

from flask import g

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
