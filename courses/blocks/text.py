"""The plain card: words, perhaps a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from courses.blocks.choice import OPTION
from courses.blocks.markdown import text_problems
from courses.catalogue.cards import Renderer, Score, card_types
from courses.catalogue.document import tidy
from lms.errors import Invalid, Sentence


class TextCard:
    """`{"text": Markdown}`. Every card that no other type recognises is one."""

    name = "text"
    label = _l("Text")
    template = "courses/cards/text.html"

    def recognises(self, body: str) -> bool:
        """Take what nobody else does."""
        return True

    def parse(self, body: str, flags: frozenset[str]) -> dict[str, Any]:
        """The body is the text."""
        return {"text": tidy(body)}

    def serialise(self, data: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        """The text is the body."""
        return str(data["text"]), ()

    def validate(self, data: Mapping[str, Any], media: frozenset[str]) -> Sequence[str]:
        """A text must say something, and must not read like another type of card."""
        text = str(data.get("text", ""))
        if not text:
            return ["This card is empty. Write something, or take the card away."]
        found = text_problems(text, media)
        if any(OPTION.match(line) for line in text.split("\n")):
            found.append(Sentence("Check boxes belong to a question. Make this card a question."))
        elif any(kind.recognises(text) for name, kind in card_types().items() if name != self.name):
            found.append(
                Sentence("This text reads like another type of card. Change the card's type.")
            )
        return found

    def asks(self, data: Mapping[str, Any]) -> bool:
        """A text asks nothing."""
        return False

    def score(self, data: Mapping[str, Any], response: Sequence[str]) -> Score:
        """Refuse: there is nothing to answer."""
        raise Invalid("This card asks nothing.")

    def present(self, data: Mapping[str, Any], render: Renderer) -> Mapping[str, Any]:
        """Show the text."""
        return {"text": render(str(data["text"]))}

    def live(self, data: Mapping[str, Any], person_id: int) -> Mapping[str, Any]:
        """Nothing differs between people."""
        return {}


text_card = TextCard()
