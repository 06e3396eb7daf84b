"""Locations in statements: the JSONPath that xAPI profiles use (xAPI Profiles, part two, 8.1). Pure.

Children by name, members by number, `*`, unions of these in brackets, and several paths joined by
`|`. No filters and no scripts, as the specification wants; and no `..`, which it allows and we do
not need.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

Step = tuple[str | int | None, ...]  # names and numbers; None is the star
Way = tuple[Step, ...]

_NAME = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*|\*)")
_BRACKET = re.compile(r"\[((?:'(?:[^'\\]|\\.)*'|[^'\]])*)\]")
_ITEM = re.compile(r"\s*(?:'((?:[^'\\]|\\.)+)'|(\d+)|(\*))\s*(,|$)")
_BETWEEN = re.compile(r"\s*\|\s*")


class NoPath(ValueError):
    """A text that is no path, or one that uses what profiles must not use."""


def find(path: str, value: Any) -> list[Any]:
    """Return all values in `value` at a path, none where nothing is there; raises NoPath."""
    found: list[Any] = []
    for way in ways(path):
        at = [value]
        for step in way:
            at = [child for one in at for child in _children(one, step)]
        found += at
    return found


@lru_cache(maxsize=1024)
def ways(path: str) -> tuple[Way, ...]:
    """Return the steps of each of the paths that `|` joins; raises NoPath."""
    found: list[Way] = []
    place = 0
    while True:
        way, place = _read_way(path, place)
        found.append(way)
        if place == len(path):
            return tuple(found)
        between = _BETWEEN.match(path, place)
        if between is None:
            raise NoPath(f"{path}: cannot be read from “{path[place:]}” on")
        place = between.end()


def _read_way(path: str, place: int) -> tuple[Way, int]:
    if path[place : place + 1] != "$":
        raise NoPath(f"{path}: a path begins with $")
    place += 1
    steps: list[Step] = []
    while step := _NAME.match(path, place) or _BRACKET.match(path, place):
        place = step.end()
        if step.re is _NAME:
            steps.append((None if step[1] == "*" else step[1],))
        else:
            steps.append(_read_union(step[1]))
    return tuple(steps), place


def _read_union(items: str) -> Step:
    union: list[str | int | None] = []
    place = 0
    while item := _ITEM.match(items, place):
        name, number, _star, after = item.groups()
        if name is not None:
            union.append(re.sub(r"\\(.)", r"\1", name))
        else:
            union.append(None if number is None else int(number))
        if not after:
            return tuple(union)
        place = item.end()
    raise NoPath(f"[{items}]: names in quotes, numbers or *, with commas between them")


def _children(value: Any, step: Step) -> list[Any]:
    found: list[Any] = []
    for key in step:
        match key, value:
            case None, dict():
                found += value.values()
            case None, list():
                found += value
            case str(), dict() if key in value:
                found.append(value[key])
            case int(), list() if key < len(value):
                found.append(value[key])
    return found
