"""Front matter: the few lines of YAML at the top of a file, read with the author in mind."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from courses.catalogue.document import tidy
from lms import yaml_text
from lms.errors import Invalid, Sentence
from lms.yaml_text import YamlError

FENCE = "---"


class CourseTextError(Invalid):
    """A file of a course cannot be read: which file, which line (from 1), and what to do."""

    def __init__(self, path: str, line: int, template: str, /, **arguments: Any) -> None:
        advice = template if isinstance(template, Sentence) else Sentence(template, **arguments)
        super().__init__(
            Sentence("%(path)s, line %(line)d: %(advice)s", path=path, line=line, advice=advice)
        )
        self.path = path
        self.line = line
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Key:
    """One key that front matter may hold: what kind of value, and whether it must be there.

    kind: `str`, `int`, `float`, `list` (of words) or `dict`. most: characters of a text, as many
    as its column holds.
    """

    kind: type
    required: bool = False
    most: int = 300


KIND_WORDS: Mapping[type, Sentence] = {
    str: Sentence("one line of text"),
    int: Sentence("a whole number"),
    float: Sentence("a number such as 0.7"),
    list: Sentence("a list: [one, two]"),
    dict: Sentence("a few indented lines “key: value”"),
}


def decode(path: str, content: bytes) -> str:
    """Return the text of a file; raises CourseTextError where it is not UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CourseTextError(
            path, line, "This is not UTF-8. Save the file as UTF-8 and import again."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def split(path: str, text: str) -> tuple[str, int, str, int]:
    """Return (YAML, its first line, body, its first line) of a file; lines count from 1."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        raise CourseTextError(
            path, 1, "The file does not begin with ---. Put “---”, “title: …” and “---” at its top."
        )
    end = next((n for n in range(1, len(lines)) if lines[n].rstrip() == FENCE), None)
    if end is None:
        raise CourseTextError(path, 1, "The lines at the top are not closed. End them with ---.")
    return "\n".join(lines[1:end]), 2, "\n".join(lines[end + 1 :]), end + 2


def read(path: str, text: str, keys: Mapping[str, Key]) -> tuple[dict[str, Any], str, int]:
    """Return (values, body, body's first line); raises CourseTextError, naming file and line."""
    source, first, body, body_line = split(path, text)
    try:
        top = yaml_text.read(source) or yaml_text.Mapping(1, {}, {})
    except YamlError as error:
        raise CourseTextError(path, first + error.line - 1, error.why) from error
    if not isinstance(top, yaml_text.Mapping):
        raise CourseTextError(path, first, "Write the lines at the top as “key: value”.")
    values: dict[str, Any] = yaml_text.plain(top)
    for name, value in values.items():
        line = first + top.keys[name] - 1
        if name not in keys:
            near = difflib.get_close_matches(name[:60], keys, 1)
            advice = (
                Sentence("Did you mean “%(near)s”?", near=near[0])
                if near
                else Sentence("Known: %(known)s.", known=", ".join(keys))
            )
            raise CourseTextError(
                path,
                line,
                "“%(name)s” is not known here. %(advice)s",
                name=name[:60],
                advice=advice,
            )
        values[name] = _checked(path, line, name, value, keys[name])
    for name, key in keys.items():
        if key.required and values.get(name) in (None, ""):
            raise CourseTextError(
                path, 1, "“%(name)s” is missing. Add a line “%(name)s: …”.", name=name
            )
    return values, tidy(body), body_line


def line_of(source: str, first: int, name: str) -> int:
    """Return the line in the file where a key of the front matter stands."""
    for number, line in enumerate(source.split("\n")):
        if line.startswith((f"{name}:", f'"{name}"', f"'{name}'")):
            return first + number
    return first


def _checked(path: str, line: int, name: str, value: Any, key: Key) -> Any:
    kind = key.kind
    if value is None and kind is str:
        return ""
    if kind is float and type(value) is int:
        return float(value)
    if kind is str and type(value) in (int, float, bool, dt.date):
        raise CourseTextError(
            path, line, "Put the value of “%(name)s” in quotation marks.", name=name
        )
    if type(value) is not kind:
        raise CourseTextError(
            path, line, "“%(name)s” wants %(kind)s.", name=name, kind=KIND_WORDS[kind]
        )
    if isinstance(value, str) and ("\n" in value or value != value.strip()):
        raise CourseTextError(
            path, line, "“%(name)s” wants %(kind)s.", name=name, kind=KIND_WORDS[str]
        )
    if isinstance(value, str) and len(value) > key.most:
        raise CourseTextError(
            path, line, "“%(name)s” has %(most)s characters at most.", name=name, most=key.most
        )
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        raise CourseTextError(path, line, "“%(name)s” wants a list of words.", name=name)
    return value


def write(values: Mapping[str, Any], body: str, order: Sequence[str]) -> str:
    """Return a file's text: front matter with the given keys in order, then the body."""
    chosen = {name: values[name] for name in order if name in values}
    block = yaml.safe_dump(
        chosen, allow_unicode=True, sort_keys=False, width=10_000, default_flow_style=False
    )
    return f"---\n{block}---\n" + (f"\n{body}\n" if body else "")
