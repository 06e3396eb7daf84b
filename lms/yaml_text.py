"""The one reader for YAML that people write: front matter, missions, rules of certificates.

What it reads is small and plain, and what it costs is bounded by what was sent: keys that are words,
each once; lists; one-line and longer texts, numbers, days. There are no references (`&`, `*`), no
merge keys (`<<`), no tags (`!`), no second document, and no nesting without end, since 400 bytes of
those can stand for gigabytes. Every value knows its line, and every error names one.

Scalars mean what YAML 1.1 says they mean, as before: `no` is false, 2026-11-23 is a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from lms.errors import Invalid, Sentence
from lms.writers import outside_writing

CHARS_MOST = 20_000
DEPTH_MOST = 8  # lists and mappings inside one another
BRACKETS_MOST = (
    64  # [ and { in one line: each may be the beginning of a key, and is looked at again
)
VALUE_CHARS_MOST = 64  # of a number or a day; what is longer is a text


class YamlError(Invalid):
    """A text is no YAML that is read here. line: from 1; why: a sentence that says what to do."""

    def __init__(self, line: int, why: str, **arguments: object) -> None:
        self.line = line
        self.why = why if isinstance(why, Sentence) else Sentence(why, **arguments)
        super().__init__("Line %(line)d: %(why)s", line=line, why=self.why)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value that holds no others: its text as written, and what YAML takes it for."""

    line: int
    text: str
    value: Any


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    line: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values, in the order of the text; keys: by its name, each key's own line."""

    line: int
    entries: dict[str, Node]
    keys: dict[str, int]


Node = Scalar | Sequence | Mapping


def read(text: str) -> Node | None:
    """Return what a text says, or None where it says nothing; raises YamlError, naming the line."""
    outside_writing("reading YAML")
    _check_size(text)
    try:
        return _Reader(text).read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(mark.line + 1 if mark else 1, _UNREADABLE) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(line, "This line holds a character that cannot be read.") from error


def plain(node: Node | None) -> Any:
    """Return a node as lists, dicts and values, without lines."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return None if node is None else node.value


def is_text(word: str) -> bool:
    """Whether a single word is taken for itself, not for a number, a day, yes or no."""
    loader: Any = yaml.SafeLoader("")
    return loader.resolve(yaml.ScalarNode, word, (True, False)) in _TEXTS


_UNREADABLE = Sentence(
    "This line cannot be read. Write “key: value”; put a value that holds a colon in quotation marks."
)


def _check_size(text: str) -> None:
    if len(text) > CHARS_MOST:
        line = text.count("\n", 0, CHARS_MOST) + 1
        raise YamlError(line, "This is too long: %(most)s characters at most.", most=CHARS_MOST)
    for number, line_text in enumerate(text.split("\n"), 1):
        if line_text.count("[") + line_text.count("{") > BRACKETS_MOST:
            raise YamlError(number, "This line is nested too deep, or holds too many brackets.")


class _Reader:
    """Builds nodes from the parser's events, which come one by one: it stops where one will not do."""

    def __init__(self, text: str) -> None:
        self.events: Iterator[Any] = iter(yaml.parse(text, Loader=yaml.SafeLoader))
        self.values = yaml.SafeLoader("")

    def read(self) -> Node | None:
        next(self.events)  # the stream begins
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        root = self._node(next(self.events), 1)
        next(self.events)  # the document ends
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise YamlError(after.start_mark.line + 1, "A line “---” ends this text; take it away.")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None or event.tag:
            raise YamlError(line, "references and tags (&, *, !) are not used here.")
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(line, event.value, _value_of(self.values, event, line))
        if depth > DEPTH_MOST:
            raise YamlError(
                line, "This is nested too deep: %(most)s levels at most.", most=DEPTH_MOST
            )
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := next(self.events), yaml.SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            return Sequence(line, tuple(items))
        return self._mapping(line, depth)

    def _mapping(self, line: int, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        keys: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise YamlError(key.line, "a key is a plain word.")
            if key.text == "<<":
                raise YamlError(key.line, "“<<” is not used here: write the keys themselves.")
            if key.text in entries:
                raise YamlError(key.line, "“%(key)s” stands twice.", key=key.text[:60])
            keys[key.text] = key.line
            entries[key.text] = self._node(next(self.events), depth + 1)
        return Mapping(line, entries, keys)


def _value_of(loader: Any, event: Any, line: int) -> Any:
    """Return what YAML takes a scalar for; a text that is quoted, or long, is a text."""
    if not event.implicit[0] or len(event.value) > VALUE_CHARS_MOST:
        return event.value
    tag = loader.resolve(yaml.ScalarNode, event.value, event.implicit)
    if tag in _TEXTS:
        return event.value
    try:
        return loader.construct_object(yaml.ScalarNode(tag, event.value))
    except ValueError as error:
        raise YamlError(line, "This day, or number, is none. Write a day as 2026-11-23.") from error


# YAML 1.1 knows two signs that have a meaning of their own; here they are texts.
_TEXTS = frozenset({f"tag:yaml.org,2002:{name}" for name in ("str", "merge", "value")})
