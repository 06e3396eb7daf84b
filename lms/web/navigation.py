"""The main navigation: what a person is shown of the places that parts declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _l

from lms.people.current import find_current_person
from lms.people.models import Person
from lms.plugin import Audience, Plugin, is_brought


@dataclass(frozen=True, slots=True)
class Place:
    """One link of the navigation, as a template needs it."""

    label: Any
    url: str
    here: bool
    of_house: bool = False  # for administrators alone: it stands apart from one's own places


def audiences(person: Person) -> frozenset[Audience]:
    """Return what a person is, for the sake of what to show; rights are `lms.people.access`."""
    found = {Audience.LEARNER}
    if person.is_author:
        found.add(Audience.AUTHOR)
    if person.is_manager:
        found.add(Audience.MANAGER)
    if person.is_administrator:
        found.update((Audience.ADMINISTRATOR, Audience.MANAGER))
    return frozenset(found)


def places() -> list[Place]:
    """Return the present person's navigation, in order; empty for somebody not signed in."""
    person = find_current_person()
    if person is None:
        return []
    shown = audiences(person)
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    items = [
        item
        for part in parts
        for item in part.navigation
        if item.audience in shown and (not item.needs or is_brought(item.needs))
    ]
    items.sort(key=lambda item: (item.order, item.endpoint))
    return [
        Place(
            item.label,
            url_for(item.endpoint),
            item.endpoint == request.endpoint,
            item.audience is Audience.ADMINISTRATOR,
        )
        for item in items
    ]


# Pages of other rooms that belong to a person's own settings, where they are there.
SETTINGS_PAGES = (
    ("people.devices", _l("How you sign in")),
    ("notices.mail", _l("What comes by mail")),
    ("people.held", _l("What is held about you")),
)
SIGN_OUT = "people.sign_out"


def settings_links() -> list[Place]:
    """Return the links of the settings page to what other rooms keep for a person."""
    known = current_app.view_functions
    return [
        Place(label, url_for(endpoint), False)
        for endpoint, label in SETTINGS_PAGES
        if endpoint in known
    ]


def sign_out_url() -> str | None:
    """Return where a form to sign out is sent, or None where no room offers that."""
    return url_for(SIGN_OUT) if SIGN_OUT in current_app.view_functions else None
