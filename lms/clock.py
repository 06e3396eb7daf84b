"""The one place that tells the time.

Everything in the suite asks `now()`; nobody calls `datetime.now` (ruff's DTZ rules and a contract
test hold this). Tests and the demo company move the clock with `travel`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EPOCH = dt.date(1970, 1, 1)

_source: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)  # noqa: E731


def now() -> dt.datetime:
    """Return the present moment, aware, in UTC."""
    return _source()


def today() -> dt.date:
    """Return the present day in UTC."""
    return now().date()


def day_number(moment: dt.datetime | dt.date) -> int:
    """Return whole days since 1970-01-01 in UTC: days as integers, so that SQL can subtract them."""
    if isinstance(moment, dt.datetime):
        moment = moment.astimezone(dt.UTC).date()
    return (moment - EPOCH).days


@contextmanager
def travel(to: dt.datetime | Callable[[], dt.datetime]) -> Iterator[None]:
    """Make `now()` answer `to` (a moment, or a function that gives one) inside the block.

    The change is seen by every thread of the process: servers that a test or the demo runs in
    threads must tell the same time as their caller.
    """
    global _source
    if isinstance(to, dt.datetime) and to.tzinfo is None:
        raise ValueError("travel() wants an aware datetime; this one has no time zone")
    before = _source
    _source = to if callable(to) else lambda: to
    try:
        yield
    finally:
        _source = before
