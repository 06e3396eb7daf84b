"""Which person, and which activity, somebody means who types a part of a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from flask_babel import gettext as _

from lms.errors import Invalid
from lms.people.finding import find_people_like
from xapi.cast import cast_of
from xapi.lrs import browse
from xapi.sentences import activity_label
from xapi.shown import IDENTIFIER_MOST, shown


@dataclass(frozen=True, slots=True)
class Choice:
    """One that fits: the value that the form keeps, what it is called, what tells it apart."""

    value: str
    name: str
    about: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Who and what fits; a single one is chosen already."""

    people: Sequence[Choice]
    things: Sequence[Choice]

    @property
    def open(self) -> bool:
        """Whether anything is left to choose."""
        return len(self.people) > 1 or len(self.things) > 1

    @property
    def whom(self) -> str:
        """The only person that fits, or nothing."""
        return self.people[0].value if len(self.people) == 1 else ""

    @property
    def what(self) -> str:
        """The only activity that fits, or nothing."""
        return self.things[0].value if len(self.things) == 1 else ""


def find_choices(who: str, thing: str, store: bool) -> Choices:
    """Return who and what fits what was typed; raises Invalid, at its field, where nothing does."""
    people: list[Choice] = []
    things: list[Choice] = []
    if who.strip():
        people = _people(who)
        if store:
            people += _agents(who.strip().removeprefix("mailto:"))
        if not people:
            raise Invalid("Nobody here, and nobody in a statement, is known by that.", "who")
    if thing.strip() and store:
        things = [
            Choice(one.key, activity_label(one.iri, one.said), shown(one.iri, IDENTIFIER_MOST))
            for one in browse.list_activities_like(thing.strip())
        ]
        if not things:
            raise Invalid("No statement is about anything of that name.", "thing")
    return Choices(people, things)


def _people(who: str) -> list[Choice]:
    """Return people of this installation, those who are suspended too."""
    return [
        Choice(f"person:{one.uid}", shown(one.name), shown(one.unit) or _("works here"))
        for one in find_people_like(who, browse.ALIKE_MOST + 1)
    ]


def _agents(who: str) -> list[Choice]:
    cast = cast_of([])
    found = []
    for key, agent in browse.list_agents_like(who, current_app.config["LMS_HOME_PAGE"]):
        named = cast.name(agent)
        found.append(Choice(f"agent:{key}", named.name, named.identifier))
    return found
