"""Sample values for the parameters of addresses, offered by each package.

The access test walks the URL map and has to fill in `<course_slug>`, `<int:version>` and so on with
things that really exist. A package says how in `tests/contract/samples_<package>.py`:

    @offers("courses", "player")                 # the names of its blueprints
    def course_samples(owner: Person) -> dict[str, Any]:
        course = make_course()
        enrol(owner, course)
        return {"course_slug": course.slug, "player.card:number": 1}

The function is called once, may write to the database, and returns values by parameter name; a key
`endpoint:parameter` goes before the plain name. What it makes belongs to `owner`, where the view's
declaration asks for an owner. `person_uid` is the owner's and need not be offered.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.routing import Rule

import tests.contract
from lms.people.models import Person

Offer = Callable[[Person], Mapping[str, Any]]
_offers: dict[str, Offer] = {}


class NoSample(AssertionError):
    """A route has a parameter for which no package offers a value."""


def offers(*blueprints: str) -> Callable[[Offer], Offer]:
    """Say that a function offers values for the routes of these blueprints."""

    def note(offer: Offer) -> Offer:
        for blueprint in blueprints:
            _offers[blueprint] = offer
        return offer

    return note


def load() -> None:
    """Import every `samples_<package>.py` beside this file."""
    for module in pkgutil.iter_modules(tests.contract.__path__, "tests.contract."):
        if ".samples_" in module.name:
            importlib.import_module(module.name)


class Samples:
    """The values for one owner; each package is asked once."""

    def __init__(self, owner: Person) -> None:
        self.owner = owner
        self.owner_uid = owner.uid
        self.made: dict[Offer, Mapping[str, Any]] = {}
        load()

    def values(self, rule: Rule) -> dict[str, Any]:
        """Return a value for each parameter of a route; raises NoSample."""
        return {name: self._value(rule, name) for name in sorted(rule.arguments)}

    def _value(self, rule: Rule, name: str) -> Any:
        blueprint = rule.endpoint.rpartition(".")[0]
        offer = _offers.get(blueprint)
        if offer is not None and offer not in self.made:
            self.made[offer] = offer(self.owner)
        found = self.made[offer] if offer is not None else {}
        for key in (f"{rule.endpoint}:{name}", name):
            if key in found:
                return found[key]
        if name == "person_uid":
            return self.owner_uid
        raise NoSample(
            f"The route {rule.rule} ({rule.endpoint}) has the parameter “{name}”, and nobody offers "
            f"a value for it: add it to @offers(“{blueprint}”) in tests/contract/samples_*.py."
        )
