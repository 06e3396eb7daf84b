"""The insides of a card as a form, and back: one small class for each card type.

A draft may hold what cannot be published yet; these forms refuse only what cannot be kept at all.
Card types that have no form of their own here are edited as text, in the course format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from courses.catalogue.cards import CardTextError, get_card_type
from courses.catalogue.document import CONTROL, tidy
from lms.errors import Invalid
from lms.evidence import Source, measures

OPTION_FIELD = re.compile(r"option-(\d{1,4})-(text|feedback|right)\Z")
OPTIONS_SHOWN_MIN = 2
OPTIONS_KEPT_MAX = 40
TEXT_MAX_CHARS = 20_000
VERBS = (
    ("replied", _l("Reply to somebody")),
    ("posted", _l("Post something")),
    ("reacted", _l("React to a post")),
    ("joined", _l("Join a group")),
    ("shared", _l("Share something")),
    ("mentioned", _l("Mention somebody")),
)
# How acts can be counted, where no network is connected that says so itself.
MEASURES = (
    ("esn.recipients", _l("Different people")),
    ("esn.acts", _l("How often")),
    ("esn.days", _l("Different days")),
    ("esn.groups", _l("Different groups")),
)
CLIENTS = (("mobile", _l("From a phone")), ("desktop", _l("From a computer")))


class CardForm(Protocol):
    """How cards of one type are edited."""

    template: str

    def blank(self) -> dict[str, Any]:
        """Return the data of a new card."""
        ...

    def read(self, sent: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data that the form was filled in with; raises Invalid in a sentence."""
        ...

    def shown(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the form's template needs beside the data."""
        ...


def clean(text: str | None) -> str:
    """Return text as documents keep it: without characters that cannot be shown."""
    kept = CONTROL.sub("", (text or "").replace("\r\n", "\n").replace("\r", "\n"))
    if len(kept) > TEXT_MAX_CHARS:
        raise Invalid(
            "One text has more than 20,000 characters. Make two cards of it; nothing was saved."
        )
    return tidy(kept)


def clean_line(text: str | None) -> str:
    """Return text on one line."""
    return " ".join(clean(text).split())


class TextForm:
    """Words, perhaps a picture."""

    template = "courses/authoring/card_text.html"

    def blank(self) -> dict[str, Any]:
        """An empty text."""
        return {"text": ""}

    def read(self, sent: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, Any]:
        """The text, tidied."""
        return {"text": clean(sent.get("text"))}

    def shown(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Nothing more."""
        return {}


class ChoiceForm:
    """A question: any number of options, the right ones, and feedback for each."""

    template = "courses/authoring/card_choice.html"

    def blank(self) -> dict[str, Any]:
        """A question with room for three options."""
        return {"text": "", "multiple": False, "options": []}

    def read(self, sent: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, Any]:
        """The options in their order; those left wholly empty are no options."""
        fields: dict[int, dict[str, str]] = {}
        for name, value in sent.items():
            named = OPTION_FIELD.match(name)
            if named:
                fields.setdefault(int(named[1]), {})[named[2]] = value
        options: list[dict[str, Any]] = []
        for number in sorted(fields):
            text = clean_line(fields[number].get("text"))
            feedback = "\n".join(
                x.rstrip() for x in clean(fields[number].get("feedback")).split("\n")
            )
            if text or feedback:
                options.append(
                    {"text": text, "right": "right" in fields[number], "feedback": feedback}
                )
        if len(options) > OPTIONS_KEPT_MAX:
            raise Invalid("A question has %(n)d options at most.", n=OPTIONS_KEPT_MAX)
        right = sum(option["right"] for option in options)
        return {
            "text": clean(sent.get("text")),
            "multiple": right > 1 or bool(sent.get("multiple")),
            "options": options,
        }

    def shown(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """How many empty options to show behind those that are there."""
        return {"blanks": max(0, OPTIONS_SHOWN_MIN - len(data["options"]))}


class MissionForm:
    """An act in the network: which, how often, within how many days."""

    template = "courses/authoring/card_mission.html"

    def blank(self) -> dict[str, Any]:
        """Answer one person."""
        return {"text": "", "measure": "esn.recipients", "verb": "replied", "at_least": 1}

    def read(self, sent: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, Any]:
        """What the form says; a field left empty does not narrow."""
        found: dict[str, Any] = {"text": clean(sent.get("text"))}
        found["measure"] = _chosen(sent, "measure", dict(self.measures(before)))
        verb = _chosen(sent, "verb", {"": "", **dict(self.verbs(before))})
        if verb:
            found["verb"] = verb
        at_least = _number(sent, "at_least", _("How many at least?"))
        found["at_least"] = 1 if at_least is None else at_least
        within = _number(sent, "within_days", _("Within how many days?"))
        if within is not None:
            found["within_days"] = within
        client = _chosen(sent, "client", {"": "", **dict(CLIENTS)})
        if client:
            found["client"] = client
        kind = clean_line(sent.get("group_kind"))
        if kind:
            found["group_kind"] = kind
        return found

    def measures(self, data: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """What can be counted here: what plugins measure of use, and what the card has already."""
        found: dict[str, Any] = {
            slug: measure.label
            for slug, measure in measures().items()
            if measure.sources != frozenset({Source.RECORD})
        } or dict(MEASURES)
        present = str(data.get("measure", ""))
        if present:
            found.setdefault(present, present)
        return list(found.items())

    def verbs(self, data: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """The acts to choose from, and what the card has already."""
        found: dict[str, Any] = dict(VERBS)
        present = str(data.get("verb", ""))
        if present:
            found.setdefault(present, present)
        return list(found.items())

    def shown(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """What there is to choose from."""
        return {
            "measures": self.measures(data),
            "verbs": self.verbs(data),
            "clients": CLIENTS,
            "connected": any(slug == data.get("measure") for slug in measures()),
        }


class RawForm:
    """A card of a type that another package brought: its text in the course format."""

    template = "courses/authoring/card_raw.html"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def blank(self) -> dict[str, Any]:
        """Nothing can be said before its own package reads a text."""
        return {}

    def read(self, sent: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, Any]:
        """What the card type itself reads from the text."""
        body = clean(sent.get("body"))
        try:
            return get_card_type(self.kind).parse(body, frozenset())
        except CardTextError as error:
            raise Invalid("Line %(line)d: %(said)s", line=error.line, said=error.message) from error

    def shown(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The card as text."""
        return {"body": get_card_type(self.kind).serialise(data)[0] if data else ""}


FORMS: Mapping[str, CardForm] = {
    "text": TextForm(),
    "choice": ChoiceForm(),
    "mission": MissionForm(),
}


def form_for(kind: str) -> CardForm:
    """Return how cards of a type are edited."""
    return FORMS.get(kind) or RawForm(kind)


def _chosen(sent: Mapping[str, str], name: str, choices: Mapping[str, Any]) -> str:
    value = sent.get(name, "")
    if value not in choices:
        raise Invalid("“%(value)s” is not among the choices. Choose again.", value=value[:40])
    return value


def _number(sent: Mapping[str, str], name: str, label: str) -> int | None:
    """Return a whole number from 1, None where the field is empty."""
    text = sent.get(name, "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= 1000:
        raise Invalid(
            "%(label)s Write a whole number from 1 to 1,000. Nothing was saved.", label=label
        )
    return int(text)
