"""A learner's first page: a greeting that fits the hour, and the cards that parts bring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import to_user_timezone

from lms import clock
from lms.number_words import counted
from lms.people.models import Person
from lms.plugin import Plugin
from lms.written import isolate

MORNING_ENDS, AFTERNOON_ENDS, NIGHT_ENDS = 12, 18, 4


@dataclass(frozen=True, slots=True)
class ShownCard:
    """One card with what its template needs; `primary` says whether it has the page's one action."""

    template: str
    context: Mapping[str, Any]
    primary: bool


@dataclass(frozen=True, slots=True)
class Home:
    """All that the first page says."""

    greeting: str
    eyebrow: str | None
    cards: list[ShownCard]


def greeting(given_name: str, local: dt.datetime, question: str | None) -> str:
    """Return "Good morning, Imani. Three minutes?" for a local moment; a name may be missing."""
    if NIGHT_ENDS <= local.hour < MORNING_ENDS:
        hello = (
            _("Good morning, %(name)s.", name=isolate(given_name))
            if given_name
            else _("Good morning.")
        )
    elif MORNING_ENDS <= local.hour < AFTERNOON_ENDS:
        hello = (
            _("Good afternoon, %(name)s.", name=isolate(given_name))
            if given_name
            else _("Good afternoon.")
        )
    else:
        hello = (
            _("Good evening, %(name)s.", name=isolate(given_name))
            if given_name
            else _("Good evening.")
        )
    return f"{hello} {question}" if question else str(hello)


def build_home(person: Person) -> Home:
    """Ask every part for its cards; the first that asks for the primary action gets it."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    declared = sorted((card for part in parts for card in part.home_cards), key=lambda c: c.order)
    cards: list[ShownCard] = []
    eyebrow: str | None = None
    question: str | None = None
    for card in declared:
        context = card.load(person.id)
        if context is None:
            continue
        primary = bool(context.get("primary")) and not any(shown.primary for shown in cards)
        if primary:
            question = _question(context)
        eyebrow = eyebrow or context.get("eyebrow")
        cards.append(ShownCard(card.template, context, primary))
    name = person.identity.given_name if person.identity else ""
    return Home(greeting(name, to_user_timezone(clock.now()), question), eyebrow, cards)


def _question(context: Mapping[str, Any]) -> str | None:
    if "question" in context:
        return str(context["question"])
    minutes = context.get("minutes")
    if minutes is None:
        return None
    return counted("One minute?", "%(count)s minutes?", minutes)
