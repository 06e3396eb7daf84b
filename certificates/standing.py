"""When the manager's page has to be told: who holds what, and to whom it is offered."""

from __future__ import annotations

from collections.abc import Iterable

from lms.events import StandingChanged, publish


def column_of(certificate_slug: str) -> str:
    """Return the slug of the column that shows who holds this certificate."""
    return f"certificates.{certificate_slug}"


def note_holders(certificate_slug: str, person_ids: Iterable[int]) -> None:
    """Tell that these people have been given the certificate, or lost it."""
    people = frozenset(person_ids)
    if people:
        publish(StandingChanged(people, frozenset({column_of(certificate_slug)})))


def note_offer(certificate_slug: str) -> None:
    """Tell that the certificate is offered to others now, or to nobody."""
    publish(StandingChanged(None, frozenset({column_of(certificate_slug)})))
