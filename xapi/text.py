"""Statements as text: written once, when they are recorded, and never built again.

tincan's own serialiser walks every object twice, drops null extension values and writes naive
datetimes without a zone; here orjson walks the objects, and this module tells it what they hold.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import orjson
from tincan import Activity
from tincan.serializable_base import SerializableBase

_OPTIONS = orjson.OPT_UTC_Z
# What vars() of a tincan object calls a property, and what the standard calls it.
_NAMES: dict[str, str] = dict(SerializableBase._props_corrected)


class CachedActivity(Activity):  # type: ignore[misc]
    """An activity that is shared between statements and written once; do not change it."""

    __slots__ = ("fragment", "plain")  # slots are no properties: tincan does not see them
    fragment: orjson.Fragment
    plain: dict[str, Any]

    @classmethod
    def make(cls, values: dict[str, Any]) -> CachedActivity:
        """Build it through tincan, and keep its JSON."""
        activity = cls(values)
        text = orjson.dumps(_properties(activity), default=_plain, option=_OPTIONS)
        object.__setattr__(activity, "fragment", orjson.Fragment(text))
        object.__setattr__(activity, "plain", orjson.loads(text))
        return activity


def to_text(statement: Any) -> str:
    """Return the JSON of a tincan statement or of a plain dict; raises TypeError or ValueError."""
    return orjson.dumps(statement, default=_plain, option=_OPTIONS).decode()


def to_plain(thing: Any) -> Any:
    """Return a tincan object as plain dicts, lists, strings and numbers."""
    return orjson.loads(orjson.dumps(thing, default=_plain, option=_OPTIONS))


def duration_text(seconds: float) -> str:
    """Return an ISO 8601 duration to a hundredth of a second (xAPI 1.0.3, Data 4.6)."""
    return f"PT{round(seconds, 2):.2f}".rstrip("0").rstrip(".") + "S"


def _plain(thing: Any) -> Any:
    if type(thing) is CachedActivity:
        return thing.fragment
    if isinstance(thing, SerializableBase):
        return _properties(thing)
    if isinstance(thing, dt.timedelta):
        return duration_text(thing.total_seconds())
    if isinstance(thing, uuid.UUID):
        return str(thing)
    raise TypeError(f"a statement cannot hold a {type(thing).__name__}")


def _properties(thing: Any) -> dict[str, Any]:
    return {
        _NAMES.get(name) or name[1:]: value
        for name, value in vars(thing).items()
        if value is not None
    }
