"""The one door for JSON that strangers send: what it says, or a sentence that names the place.

Stricter than JSON itself, as xAPI 1.0.3 (Data 2.2) and IEEE 9274.1.1 ask: no key twice in an
object, UTF-8 alone, and nothing that could not be given back as it came: a NUL (PostgreSQL's text
holds none), half a surrogate pair, an endless nesting. Numbers beyond 64 bits are left to whoever
knows where numbers may stand (`xapi.lrs.validate`), or to `check_numbers`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jiter
from flask import current_app

from lms.writers import outside_writing
from xapi.lrs.errors import Oversized, Refused, shown
from xapi.lrs.types import is_exact_number

_SEARCHED_MOST = 1024 * 1024  # bytes; in larger texts, line and column must do
_NUL = b"\\u0000"
_PLACE = re.compile(r"(.*) at line (\d+) column (\d+)$", re.S)
_TWICE = "Detected duplicate key"
_DEEP = "recursion limit"


def read_json(body: bytes, what: str = "The body") -> Any:
    """Return what a JSON text says.

    Raises Refused, naming property or place, where it is none or holds what is not taken here;
    Oversized where it is longer than LMS_LRS_JSON_MOST_BYTES.
    """
    outside_writing("reading JSON")
    most: int = current_app.config["LMS_LRS_JSON_MOST_BYTES"]
    if len(body) > most:
        raise Oversized(f"{what} is {len(body)} bytes of JSON; at most {most} are taken at once.")
    try:
        value = jiter.from_json(
            body, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys"
        )
    except ValueError as error:
        raise Refused(_explain(body, what, str(error))) from None
    if _NUL in body:
        _refuse_nul(value, what)
    return value


def check_numbers(value: Any, what: str) -> None:
    """Raise Refused where a number anywhere in this is beyond 64 bits."""
    for inner, steps in _walk(value):
        if type(inner) in (int, float) and not is_exact_number(inner):
            raise Refused(f"{_path(steps) or what}: must be a number of at most 64 bits")


def _explain(body: bytes, what: str, message: str) -> str:
    found = _PLACE.match(message)
    reason, line, column = found.groups() if found else (message, "1", "0")
    place = f"line {line}, column {column}"
    if reason.startswith(_TWICE):
        path = _find_twice(body) or shown(reason.removeprefix(_TWICE).strip())
        return f"{path}: this key stands twice in one object ({place})"
    if reason.startswith(_DEEP):
        return f"{what} is nested deeper than 200 levels ({place})"
    if body.startswith(b"\xef\xbb\xbf"):
        return f"{what} is not JSON: it begins with a byte order mark"
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return f"{what} is not UTF-8, from byte {error.start} on"
    return f"{what} is not JSON: {reason[:200]} ({place})"


class _Twice(dict[str, Any]):
    """An object with a key that stands twice in it."""

    key = ""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) == len(pairs):
        return whole
    twice = _Twice(whole)
    seen: set[str] = set()
    twice.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return twice


def _find_twice(body: bytes) -> str | None:
    """Return the path of the first key that stands twice, or None where looking costs too much."""
    if len(body) > _SEARCHED_MOST:
        return None
    try:
        value = json.loads(body, object_pairs_hook=_pairs)
    except (ValueError, RecursionError):  # what follows is no JSON that we read
        return None
    for inner, steps in _walk(value):
        if isinstance(inner, _Twice):
            return _path((steps, inner.key))
    return None


def _refuse_nul(value: Any, what: str) -> None:
    for inner, steps in _walk(value):
        if isinstance(inner, str) and "\0" in inner:
            raise Refused(f"{_path(steps) or what}: must not hold the character NUL")
        if isinstance(inner, dict):
            for key in inner:
                if "\0" in key:
                    raise Refused(f"{_path((steps, key))}: a key must not hold the character NUL")


# The steps to a value, innermost first: paths cost nothing until a sentence needs one.
_Steps = tuple[Any, "str | int"] | None


def _walk(whole: Any) -> Iterator[tuple[Any, _Steps]]:
    """Yield a value and all that is in it, in the order of the text, each with the steps to it."""
    waiting: list[tuple[Any, _Steps]] = [(whole, None)]
    while waiting:
        value, steps = waiting.pop()
        yield value, steps
        if isinstance(value, dict):
            waiting += [(inner, (steps, key)) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(value[place], (steps, place)) for place in range(len(value) - 1, -1, -1)]


def _path(steps: _Steps) -> str:
    parts: list[str] = []
    while steps is not None:
        steps, step = steps
        parts.append(f"[{step}]" if isinstance(step, int) else f".{shown(step)}")
    return "".join(reversed(parts)).removeprefix(".")
