"""Reading YAML with places: every value knows its line, so that every error can name it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from lms.errors import Invalid, Sentence

MAX_CHARS = 20_000


class BadRule(Invalid):
    """A rule cannot be read; the message names line and key, and what would do."""


@dataclass(frozen=True, slots=True)
class Place:
    """A value in the text, with the path of keys that leads to it ("requires.all[2].usage")."""

    node: Any
    path: str

    @property
    def line(self) -> int:
        """The line of the text on which the value begins, from 1."""
        line: int = self.node.start_mark.line
        return line + 1

    def fail(self, template: str, /, **arguments: object) -> BadRule:
        """Return the error to raise about this value."""
        why = Sentence(template, **arguments)
        if not self.path:
            return BadRule("Line %(line)d: %(why)s", line=self.line, why=why)
        return BadRule("Line %(line)d, %(path)s: %(why)s", line=self.line, path=self.path, why=why)

    def mapping(self, allowed: frozenset[str]) -> Mapping[str, Place]:
        """Read a mapping whose keys are all known and stand once."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.fail("here belong keys and values (%(known)s).", known=_list(allowed))
        found: dict[str, Place] = {}
        for key_node, value_node in self.node.value:
            key_place = Place(key_node, self.path)
            if not isinstance(key_node, yaml.ScalarNode):
                raise key_place.fail("a key is a plain word.")
            key = key_node.value
            if key not in allowed:
                raise key_place.fail(
                    "“%(key)s” is not known here. Known: %(known)s.",
                    key=key[:60],
                    known=_list(allowed),
                )
            if key in found:
                raise key_place.fail("“%(key)s” stands twice.", key=key)
            found[key] = Place(value_node, f"{self.path}.{key}" if self.path else key)
        return found

    def items(self, at_most: int) -> Iterator[Place]:
        """Read a list with one entry at least."""
        if not isinstance(self.node, yaml.SequenceNode) or not self.node.value:
            raise self.fail("here belongs a list with one entry at least.")
        if len(self.node.value) > at_most:
            raise self.fail("the list has more than %(at_most)s entries.", at_most=at_most)
        for number, node in enumerate(self.node.value, start=1):
            yield Place(node, f"{self.path}[{number}]")

    def text(self, at_most: int) -> str:
        """Read a text in one line, not empty."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.fail("here belongs a text.")
        text = " ".join(self.node.value.split())
        if not text or self.is_null():
            raise self.fail("the text is empty.")
        if len(text) > at_most:
            raise self.fail("the text is longer than %(at_most)s characters.", at_most=at_most)
        if any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in text):
            raise self.fail("the text holds control characters.")
        return text

    def number(self, low: int, high: int) -> int:
        """Read a whole number between `low` and `high`."""
        text = self.node.value if isinstance(self.node, yaml.ScalarNode) else ""
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
        if isinstance(self.node, yaml.ScalarNode) and self.node.value in {"true", "false"}:
            return bool(self.node.value == "true")
        raise self.fail("here belongs true or false.")

    def one_of(self, allowed: frozenset[str]) -> str:
        """Read a word of a closed list."""
        word = self.node.value if isinstance(self.node, yaml.ScalarNode) else ""
        if word not in allowed:
            raise self.fail(
                "“%(key)s” is not known here. Known: %(known)s.",
                key=word[:60],
                known=_list(allowed),
            )
        return str(word)

    def is_null(self) -> bool:
        """Whether the value is YAML's null."""
        return isinstance(self.node, yaml.ScalarNode) and (
            self.node.tag == "tag:yaml.org,2002:null"
        )


def read_root(text: str) -> Place:
    """Return the root of a YAML text; raises BadRule, naming the line, where it is no YAML."""
    if len(text) > MAX_CHARS:
        raise BadRule("The rule is longer than %(most)s characters.", most=MAX_CHARS)
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.AliasToken | yaml.AnchorToken | yaml.TagToken):
                line = token.start_mark.line + 1
                raise BadRule(
                    "Line %(line)d: references and tags (&, *, !) are not used in rules.", line=line
                )
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadRule(
            "Line %(line)d: this is not YAML (%(problem)s).", line=line, problem=error.problem
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise BadRule("The text is not YAML: it holds characters or depths it may not.") from error
    if node is None:
        raise BadRule("Line 1: the rule is empty.")
    return Place(node, "")


def _list(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))
