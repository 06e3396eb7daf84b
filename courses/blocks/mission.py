"""The mission: an act in the network, and how far the person is with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from courses.blocks.choice import choice_card
from courses.blocks.markdown import text_problems
from courses.catalogue.cards import CardTextError, Renderer, Score
from courses.catalogue.document import CONTROL, tidy
from lms import yaml_text
from lms.errors import Invalid, Sentence
from lms.evidence import Filter, Window, find_measure
from lms.yaml_text import YamlError

OPEN = re.compile(r"```[ \t]*mission[ \t]*\Z")
CLOSE = re.compile(r"```[ \t]*\Z")
# Every key of the block, in the order it is written in, and what it holds.
KEYS: Mapping[str, type] = {
    "measure": str,
    "verb": str,
    "at_least": int,
    "within_days": int,
    "client": str,
    "group_kind": str,
}
REQUIRED = ("measure", "at_least")
WORD = re.compile(r"[a-z][a-z0-9_.-]{0,59}\Z")
NUMBER_MAX = 1000


class MissionCard:
    """`{"text", "measure", "at_least", "verb"?, "within_days"?, "client"?, "group_kind"?}`.

    It shows live what `lms.evidence` knows, and never holds anybody back.
    """

    name = "mission"
    label = _l("Mission in the network")
    template = "courses/cards/mission.html"

    def recognises(self, body: str) -> bool:
        """A body with a fenced block named `mission` is one."""
        return any(OPEN.match(line) for line in body.split("\n"))

    def parse(self, body: str, flags: frozenset[str]) -> dict[str, Any]:
        """Read the text, and the block at its end."""
        lines = body.split("\n")
        start = next(number for number, line in enumerate(lines) if OPEN.match(line))
        end = next(
            (number for number in range(start + 1, len(lines)) if CLOSE.match(lines[number])), None
        )
        if end is None:
            raise CardTextError(start + 1, "The mission block is not closed. End it with ```.")
        if any(line.strip() for line in lines[end + 1 :]):
            raise CardTextError(end + 2, "Write the text above the mission block, not below it.")
        try:
            top = yaml_text.read("\n".join(lines[start + 1 : end]))
        except YamlError as error:
            raise CardTextError(start + 1 + error.line, error.why) from error
        if not isinstance(top, yaml_text.Mapping):
            raise CardTextError(start + 1, "The mission block is empty. Write “measure: …”.")
        block: dict[str, Any] = yaml_text.plain(top)
        for key, value in block.items():
            if key not in KEYS:
                raise CardTextError(
                    start + 1,
                    "“%(key)s” is not known in a mission. Known: %(known)s.",
                    key=key[:60],
                    known=", ".join(KEYS),
                )
            if type(value) is not KEYS[key]:
                kind = Sentence("a whole number") if KEYS[key] is int else Sentence("a word")
                raise CardTextError(start + 1, "“%(name)s” wants %(kind)s.", name=key, kind=kind)
        for key in REQUIRED:
            if key not in block:
                raise CardTextError(start + 1, "The mission lacks “%(key)s”.", key=key)
        return {"text": tidy("\n".join(lines[:start])), **{k: block[k] for k in KEYS if k in block}}

    def serialise(self, data: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        """Write the text, a blank line, and the block."""
        lines = [str(data["text"]), ""] if data["text"] else []
        lines.append("```mission")
        lines += [f"{key}: {data[key]}" for key in KEYS if key in data]
        lines.append("```")
        return "\n".join(lines), ()

    def validate(self, data: Mapping[str, Any], media: frozenset[str]) -> Sequence[str]:
        """A measure, a number, and words from the closed vocabulary."""
        found = text_problems(str(data.get("text", "")), media)
        if self.recognises(str(data.get("text", ""))):
            found.append(Sentence("A card holds one mission. Make a second card for the other."))
        if choice_card.recognises(str(data.get("text", ""))):
            found.append(Sentence("Check boxes belong to a question, not to a mission."))
        if not str(data.get("text", "")):
            found.append(Sentence("Say in the text what to do in the network."))
        for key, kind in KEYS.items():
            value = data.get(key)
            if value is None:
                if key in REQUIRED:
                    found.append(Sentence("The mission lacks “%(key)s”.", key=key))
            elif kind is int and not (type(value) is int and 1 <= value <= NUMBER_MAX):
                found.append(
                    Sentence(
                        "“%(key)s” is a number from 1 to %(most)s.",
                        key=key,
                        most=NUMBER_MAX,
                    )
                )
            elif kind is str and not (isinstance(value, str) and _plain(value)):
                found.append(
                    Sentence("“%(key)s” is one word in small letters, such as replied.", key=key)
                )
        if any(CONTROL.search(str(value)) for value in data.values()):
            found.append(Sentence("The mission holds a character that cannot be shown."))
        return found

    def asks(self, data: Mapping[str, Any]) -> bool:
        """A mission is done in the network, not here."""
        return False

    def score(self, data: Mapping[str, Any], response: Sequence[str]) -> Score:
        """Refuse: there is nothing to answer here."""
        raise Invalid("A mission is done in the network.")

    def present(self, data: Mapping[str, Any], render: Renderer) -> Mapping[str, Any]:
        """Show the text."""
        return {"text": render(str(data["text"])), "need": data["at_least"]}

    def live(self, data: Mapping[str, Any], person_id: int) -> Mapping[str, Any]:
        """Return `gap` (None where the network is not connected here) and the network's address."""
        url = current_app.config["LMS_NETWORK_URL"]
        measure = find_measure(str(data["measure"]))
        if measure is None:
            return {"gap": None, "url": url}
        _measure, where, window = asked_of(data)
        gap = measure.missing(person_id, window, where, int(data["at_least"]))
        return {
            "gap": gap,
            "url": gap.url or url,
            "status": _("done")
            if gap.met
            else _("%(have)d of %(need)d", have=gap.have, need=gap.need),
        }


def asked_of(data: Mapping[str, Any]) -> tuple[str, Filter, Window]:
    """Return what a mission counts: the slug of its measure, which acts, and in what time."""
    where = Filter(
        verb=data.get("verb"), client=data.get("client"), group_kind=data.get("group_kind")
    )
    return str(data["measure"]), where, Window(within_days=data.get("within_days"))


def _plain(value: str) -> bool:
    """Whether a value is a plain word, and stays one when YAML reads it."""
    return WORD.match(value) is not None and yaml_text.is_text(value)


mission_card = MissionCard()
