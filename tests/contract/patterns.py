"""Whether a regular expression can take more than linear time: told from the pattern, not by a clock.

A pattern is suspect where the same characters could be shared out in several ways, so that a text
that does not fit is tried in all of them:

- a repeat without end inside another (`(a+)*`), unless what surrounds it marks where each begins;
- a repeat without end that another can take over from (`.*[ ]*`), with nothing between to part them;
- a pattern that is searched for, not matched from the start, and begins with a repeat without end
  that something has to follow (`\\s*\\|`): each place in the text is tried to its end.

It errs on the side of suspicion.
"""

from __future__ import annotations

import ast
import re
import re._constants as code
import re._parser as parser
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

# Every character below 256, and some that stand for the rest.
CHARS = frozenset(map(chr, range(256))) | {"\u0661", "\u2028", "\u00a0", "\u4e2d", "\U0001f600"}
NOTHING: frozenset[str] = frozenset()
ENDLESS = 1000  # repeats; fewer are no matter
REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT)
FUNCTIONS = {
    "compile",
    "match",
    "fullmatch",
    "search",
    "sub",
    "subn",
    "split",
    "findall",
    "finditer",
}
SEARCHES = {"search", "sub", "subn", "split", "findall", "finditer"}


@cache
def category(name: Any) -> frozenset[str]:
    known = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}
    kind = str(name).removeprefix("CATEGORY_")
    inside = frozenset(filter(re.compile(known[kind.removeprefix("NOT_")]).fullmatch, CHARS))
    return CHARS - inside if kind.startswith("NOT_") else inside


def members(items: Any) -> frozenset[str]:
    """The characters of a class."""
    found: set[str] = set()
    negated = False
    for op, value in items:
        if op is code.NEGATE:
            negated = True
        elif op is code.LITERAL:
            found.add(chr(value))
        elif op is code.RANGE:
            found |= {char for char in CHARS if value[0] <= ord(char) <= value[1]}
        else:
            found |= category(value)
    return CHARS - found if negated else frozenset(found)


def parts(op: Any, value: Any) -> list[Any]:
    """The sequences inside an item."""
    if op in REPEATS:
        return [value[2]]
    if op is code.SUBPATTERN:
        return [value[3]]
    if op is code.BRANCH:
        return list(value[1])
    return []


def single(op: Any, value: Any) -> frozenset[str] | None:
    """The characters of an item that takes exactly one, else None."""
    if op is code.LITERAL:
        return frozenset(chr(value))
    if op is code.NOT_LITERAL:
        return CHARS - {chr(value)}
    if op is code.ANY:
        return CHARS - {"\n"}
    return members(value) if op is code.IN else None


def taken(op: Any, value: Any) -> frozenset[str]:
    """Every character that an item can take."""
    one = single(op, value)
    return one if one is not None else frozenset().union(*(map(all_of, parts(op, value))))


def all_of(sequence: Any) -> frozenset[str]:
    return frozenset().union(*(taken(op, value) for op, value in sequence))


def first(op: Any, value: Any) -> tuple[frozenset[str], bool]:
    """The characters an item can begin with, and whether it can take nothing at all."""
    one = single(op, value)
    if one is not None:
        return one, False
    inside = [first_of(part) for part in parts(op, value)]
    begins = frozenset().union(*(chars for chars, _empty in inside))
    empty = any(empty for _chars, empty in inside) or not inside
    return begins, empty or (op in REPEATS and value[0] == 0)


def first_of(sequence: Any) -> tuple[frozenset[str], bool]:
    begins: frozenset[str] = NOTHING
    for op, value in sequence:
        chars, empty = first(op, value)
        begins |= chars
        if not empty:
            return begins, False
    return begins, True


def is_endless(op: Any, value: Any) -> bool:
    return op in REPEATS and value[1] > ENDLESS


def endless_inside(sequence: Any) -> Iterator[tuple[Any, Any]]:
    for op, value in sequence:
        if is_endless(op, value):
            yield op, value
        for part in parts(op, value):
            yield from endless_inside(part)


def is_marked(sequence: Any, inner: frozenset[str]) -> bool:
    """Whether a repeated part begins, or ends, with what the repeat inside it cannot take."""
    begins, empty = first_of(sequence)
    if not empty and not begins & inner:
        return True
    ends = single(*list(sequence)[-1])
    return ends is not None and not ends & inner


def trailing(sequence: Any) -> Iterator[frozenset[str]]:
    """What the repeats without end take that may stand at the end of a sequence."""
    for op, value in reversed(list(sequence)):
        if is_endless(op, value):
            yield all_of(value[2])
        else:
            for part in parts(op, value):
                yield from trailing(part)
        if not first(op, value)[1]:
            return


def suspicion(sequence: Any) -> str:
    """Why a sequence is suspect, or nothing."""
    items = list(sequence)
    for place, (op, value) in enumerate(items):
        for part in parts(op, value):
            if why := suspicion(part):
                return why
        if is_endless(op, value) and not all(
            is_marked(value[2], taken(*inner)) for inner in endless_inside(value[2])
        ):
            return "a repeat inside a repeat, and nothing marks where one begins"
        if any(takes_over(items[place + 1 :], mine) for mine in trailing([(op, value)])):
            return "a repeat can take over from the one before it"
    return ""


def takes_over(following: list[Any], mine: frozenset[str]) -> bool:
    """Whether a repeat further on can take what the one before, which takes `mine`, leaves."""
    for op, value in following:
        begins, empty = first(op, value)
        if begins & mine:
            inside = [one for part in parts(op, value) for one in endless_inside(part)]
            if is_endless(op, value) or any(taken(*one) & mine for one in inside):
                return True
        if not empty and not begins & mine:
            return False
    return False


def why_suspect(pattern: str | bytes, searched: bool = False) -> str:
    """Say why a pattern may take more than linear time; nothing where it cannot."""
    sequence = parser.parse(pattern)
    if why := suspicion(sequence):
        return why
    items = list(sequence)
    if searched and items and is_endless(*items[0]) and not first_of(items[1:])[1]:
        return "it is searched for, and begins with a repeat that something must follow"
    return ""


def patterns_in(file: Path) -> Iterator[tuple[int, str | bytes, bool]]:
    """Yield (line, pattern, whether it is searched for) of each pattern written out in a module."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=used)):
                if used in SEARCHES:
                    named[name] = used
    assigned = {
        id(node.value): target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in FUNCTIONS
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            continue
        name = assigned.get(id(node), "")
        yield node.lineno, node.args[0].value, node.func.attr in SEARCHES or name in named
