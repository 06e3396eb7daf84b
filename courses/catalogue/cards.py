"""What a card type is: the contract, and the types that are installed.

A card type comes by the entry point group `courses.card_types`; ours come the same way as a
stranger's. It is an object with the attributes of `CardType`; there is nothing to subclass.
In a course's text a card is recognised by its body; a stranger's type best uses a fenced block
that bears its name, as `mission` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

from courses.catalogue.document import Document, Problem, structure_problems
from lms.errors import Invalid, Misconfigured, Sentence

ENTRY_POINTS = "courses.card_types"
FALLBACK = "text"


class CardTextError(Exception):
    """A card's text cannot be read: `line` counts from 1 in the card's body; what to do instead."""

    def __init__(self, line: int, template: str, /, **arguments: Any) -> None:
        self.message = Sentence(template, **arguments)
        super().__init__(str(self.message))
        self.line = line


@dataclass(frozen=True, slots=True)
class Score:
    """What a response is worth: `scaled` 0 to 1; `right` only where it is wholly right."""

    scaled: float
    right: bool


class Renderer(Protocol):
    """Turns an author's Markdown into safe HTML, with the course's own pictures."""

    def __call__(self, text: str) -> str:
        """Return sanitised HTML."""
        ...


@runtime_checkable
class CardType(Protocol):
    """One kind of card.

    name: stored in documents and never changed; also the name of its fenced block, if it has one.
    label: translated, for authors. template: the one Jinja template that shows the card.
    A template is given `card` (the Card), `view` (from `present`), `live` (from `live`),
    `answer` (None, or an object with `response`, `right` and `score_scaled`), and names its fields
    `response`.
    """

    name: str
    label: Any
    template: str

    def recognises(self, body: str) -> bool:
        """Whether a card's body in the text format is one of this type."""
        ...

    def parse(self, body: str, flags: frozenset[str]) -> dict[str, Any]:
        """Read a card's body; raises CardTextError. `flags` are the heading's `.words`."""
        ...

    def serialise(self, data: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        """Return (body, flags) such that `parse` gives `data` back, for valid data."""
        ...

    def validate(self, data: Mapping[str, Any], media: frozenset[str]) -> Sequence[str]:
        """Return a sentence for each thing an author must mend (`lms.errors.Sentence`, so that it can
        be translated). `media`: the names of pictures."""
        ...

    def asks(self, data: Mapping[str, Any]) -> bool:
        """Whether the card waits for an answer that is scored."""
        ...

    def score(self, data: Mapping[str, Any], response: Sequence[str]) -> Score:
        """Judge a response; pure. Raises lms.errors.Invalid where it is no response to this."""
        ...

    def present(self, data: Mapping[str, Any], render: Renderer) -> Mapping[str, Any]:
        """Return what the template shows, the same for everybody; kept for each version."""
        ...

    def live(self, data: Mapping[str, Any], person_id: int) -> Mapping[str, Any]:
        """Return what the template shows of this person, asked at each view; mostly nothing."""
        ...


@cache
def card_types() -> Mapping[str, CardType]:
    """Return every installed card type by name; the fallback for plain text comes last."""
    found: dict[str, CardType] = {}
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        loaded = entry.load()
        if not isinstance(loaded, CardType) or loaded.name != entry.name:
            raise Misconfigured(
                f"The entry point {entry.name} = {entry.value} does not lead to a card type of "
                "that name. Ask whoever made the package."
            )
        found[loaded.name] = loaded
    if FALLBACK in found:
        found[FALLBACK] = found.pop(FALLBACK)
    return found


def find_card_type(name: str) -> CardType | None:
    """Return the card type, or None where the package that brings it is not installed."""
    return card_types().get(name)


def get_card_type(name: str) -> CardType:
    """Return the card type; raises Invalid, naming it, where it is not installed."""
    found = find_card_type(name)
    if found is None:
        raise Invalid(
            "No card type named “%(name)s” is installed. Known: %(known)s.",
            name=name,
            known=", ".join(card_types()),
        )
    return found


def problems(document: Document) -> list[Problem]:
    """Return everything that keeps a document from being published, in reading order."""
    found = structure_problems(document)
    media = frozenset(document.media)
    for lesson, card in document.cards():
        kind = find_card_type(card.type)
        if kind is None:
            message = Sentence("No card type named “%(name)s” is installed.", name=card.type)
            found.append(Problem(message, lesson.id, card.id))
            continue
        found += [Problem(said, lesson.id, card.id) for said in kind.validate(card.data, media)]
    return found
