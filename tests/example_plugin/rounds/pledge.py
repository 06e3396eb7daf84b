"""A card type: a promise to make. In a course's text it is a fenced block named `pledge`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from courses.catalogue.cards import CardTextError, Renderer, Score
from lms.errors import Invalid

OPENS, CLOSES = "```pledge", "```"


class PledgeCard:
    """`{"text": Markdown}`: what is promised."""

    name = "pledge"
    label = "Promise"
    template = "rounds/pledge.html"

    def recognises(self, body: str) -> bool:
        """Whether the body is our fenced block."""
        return body.startswith(OPENS + "\n")

    def parse(self, body: str, flags: frozenset[str]) -> dict[str, Any]:
        """Read what stands in the block."""
        lines = body.rstrip().split("\n")
        if lines[-1] != CLOSES:
            raise CardTextError(len(lines), "Close the block with three backticks.")
        return {"text": "\n".join(lines[1:-1])}

    def serialise(self, data: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        """Write the block."""
        return f"{OPENS}\n{data['text']}\n{CLOSES}", ()

    def validate(self, data: Mapping[str, Any], media: frozenset[str]) -> Sequence[str]:
        """A promise says something."""
        return [] if str(data.get("text", "")).strip() else ["Say what is promised."]

    def asks(self, data: Mapping[str, Any]) -> bool:
        """A promise waits to be made."""
        return True

    def score(self, data: Mapping[str, Any], response: Sequence[str]) -> Score:
        """Made is made."""
        if list(response) != ["yes"]:
            raise Invalid("Tick the box to promise.")
        return Score(1.0, True)

    def present(self, data: Mapping[str, Any], render: Renderer) -> Mapping[str, Any]:
        """Show the promise."""
        return {"text": render(str(data["text"]))}

    def live(self, data: Mapping[str, Any], person_id: int) -> Mapping[str, Any]:
        """Nothing differs between people."""
        return {}


pledge_card = PledgeCard()
