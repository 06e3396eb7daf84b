"""What a rule holds, with places: every value knows its line and its path, and errors name both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lms import yaml_text
from lms.errors import Invalid, Sentence
from lms.yaml_text import Node, Scalar, Sequence, YamlError


class BadRule(Invalid):
    """A rule cannot be read; the message names line and key, and what would do."""


@dataclass(frozen=True, slots=True)
class Place:
    """A value in the text, with the path of keys that leads to it ("requires.all[2].usage")."""

    node: Node
    path: str

    @property
    def line(self) -> int:
        """The line of the text on which the value begins, from 1."""
        return self.node.line

    def fail(self, template: str, /, **arguments: object) -> BadRule:
        """Return the error to raise about this value."""
        why = Sentence(template, **arguments)
        if not self.path:
            return BadRule("Line %(line)d: %(why)s", line=self.line, why=why)
        return BadRule("Line %(line)d, %(path)s: %(why)s", line=self.line, path=self.path, why=why)

    def mapping(self, allowed: frozenset[str]) -> Mapping[str, Place]:
        """Read a mapping whose keys are all known."""
        if not isinstance(self.node, yaml_text.Mapping):
            raise self.fail("here belong keys and values (%(known)s).", known=_list(allowed))
        found: dict[str, Place] = {}
        for key, node in self.node.entries.items():
            if key not in allowed:
                place = Place(Scalar(self.node.keys[key], key, key), self.path)
                raise place.fail(
                    "“%(key)s” is not known here. Known: %(known)s.",
                    key=key[:60],
                    known=_list(allowed),
                )
            found[key] = Place(node, f"{self.path}.{key}" if self.path else key)
        return found

    def items(self, at_most: int) -> Iterator[Place]:
        """Read a list with one entry at least."""
        if not isinstance(self.node, Sequence) or not self.node.items:
            raise self.fail("here belongs a list with one entry at least.")
        if len(self.node.items) > at_most:
            raise self.fail("the list has more than %(at_most)s entries.", at_most=at_most)
        for number, node in enumerate(self.node.items, start=1):
            yield Place(node, f"{self.path}[{number}]")

    def text(self, at_most: int) -> str:
        """Read a text in one line, not empty."""
        if not isinstance(self.node, Scalar):
            raise self.fail("here belongs a text.")
        text = " ".join(self.node.text.split())
        if not text or self.is_null():
            raise self.fail("the text is empty.")
        if len(text) > at_most:
            raise self.fail("the text is longer than %(at_most)s characters.", at_most=at_most)
        if any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in text):
            raise self.fail("the text holds control characters.")
        return text

    def number(self, low: int, high: int) -> int:
        """Read a whole number between `low` and `high`."""
        text = self.node.text if isinstance(self.node, Scalar) else ""
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise self.fail(
                "here belongs a whole number from %(low)s to %(high)s.", low=low, high=high
            )
        if not low <= int(text) <= high:
            raise self.fail(
                "%(number)s is not between %(low)s and %(high)s.",
                number=int(text),
                low=low,
                high=high,
            )
        return int(text)

    def yes_or_no(self) -> bool:
        """Read true or false."""
        if isinstance(self.node, Scalar) and self.node.text in {"true", "false"}:
            return self.node.text == "true"
        raise self.fail("here belongs true or false.")

    def one_of(self, allowed: frozenset[str]) -> str:
        """Read a word of a closed list."""
        word = self.node.text if isinstance(self.node, Scalar) else ""
        if word not in allowed:
            raise self.fail(
                "“%(key)s” is not known here. Known: %(known)s.",
                key=word[:60],
                known=_list(allowed),
            )
        return word

    def is_null(self) -> bool:
        """Whether the value is YAML's null."""
        return isinstance(self.node, Scalar) and self.node.value is None


def read_root(text: str) -> Place:
    """Return the root of a YAML text; raises BadRule, naming the line, where it is no YAML."""
    try:
        node = yaml_text.read(text)
    except YamlError as error:
        raise BadRule(error.sentence) from error
    if node is None:
        raise BadRule("Line 1: the rule is empty.")
    return Place(node, "")


def _list(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))
