"""Names for ids: the one place that turns opaque people into what others call them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, select

from lms.db import db
from lms.people.models import Identity, Person


@dataclass(frozen=True, slots=True)
class Name:
    """How a person is shown: `uid` for addresses, `display` in full, `given` for greetings."""

    uid: str
    display: str
    given: str


def removed_name() -> str:
    """Return what stands where a person's name was removed."""
    return str(_("Somebody who has left"))


def names(people: Iterable[int] | Select[tuple[int]]) -> Mapping[int, Name]:
    """Return the names of people, by id, in one query.

    people: ids, or a select of ids for large sets. Somebody whose name was removed is there under
    `removed_name()`; an id that no person has is left out.
    """
    wanted: Any = people if isinstance(people, Select) else set(people)
    if not isinstance(wanted, Select) and not wanted:
        return {}
    rows = db.session.execute(
        select(Person.id, Person.uid, Identity.display_name, Identity.given_name)
        .outerjoin(Identity, Identity.person_id == Person.id)
        .where(Person.id.in_(wanted))
    )
    removed = removed_name()
    return {
        person_id: Name(uid, display or removed, given or display or removed)
        for person_id, uid, display, given in rows
    }


def display_names(people: Iterable[int] | Select[tuple[int]]) -> dict[int, str]:
    """Return only the full names, by id, in one query; see `names`."""
    return {person_id: name.display for person_id, name in names(people).items()}


def folded(text: str) -> str:
    """Return text without case and accents, as `sort_name` holds it."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()
