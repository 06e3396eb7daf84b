"""Outages of what everything stands on: told apart from faults of ours, said once, then counted.

A database that restarts breaks every request and every loop of the worker at once. One line says
that it is away, one a minute how often that was met, one that it is back: no trace for each.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
    TimeoutError,
)

log = logging.getLogger(__name__)

DATABASE = "the database"
QUEUE = "the place where wake-ups of jobs wait"
COUNTED_EVERY_SECONDS = 60.0
# One answer between two failures (another thread's read, while no write goes through) ends nothing.
QUIET_SECONDS = 5.0

_AWAY = (OperationalError, InterfaceError, TimeoutError, PendingRollbackError)
_DRIVERS = {
    "psycopg": DATABASE,
    "redis": QUEUE,
    "sqlite3": QUEUE,
}  # SQLAlchemy wraps our own SQLite
_DRIVERS_WORDS = frozenset(
    {"OperationalError", "InterfaceError", "ConnectionError", "TimeoutError", "DatabaseError"}
)


def is_outage(error: BaseException | None) -> bool:
    """Whether the database did not answer, or broke off: nothing that the caller did wrong.

    Connection refused or lost, shut down, a pool that is used up, a statement that took too long, a
    lock that was not given, a full disk; and whatever was asked of a connection known to be lost.
    """
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, _AWAY)


def what_is_away(error: BaseException) -> str | None:
    """Return what does not answer, going by an error or by those it came from; None for others."""
    for each in _chain(error):
        if is_outage(each):
            return DATABASE
        for kind in type(each).__mro__:
            package = kind.__module__.partition(".")[0]
            if package in _DRIVERS and kind.__name__ in _DRIVERS_WORDS:
                return _DRIVERS[package]
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


@dataclass
class _Outage:
    began: float
    last_failed: float
    last_said: float
    failures: int = 1


class Outages:
    """What is away just now, as this process sees it; safe for threads."""

    def __init__(self, tell_time: Callable[[], float] = time.monotonic) -> None:
        self._now = tell_time
        self._open: dict[str, _Outage] = {}
        self._guard = threading.Lock()

    def failed(self, what: str, error: BaseException) -> None:
        """Note a failure: the first is said, the rest are counted and told once a minute."""
        moment = self._now()
        with self._guard:
            outage = self._open.get(what)
            if outage is None:
                self._open[what] = _Outage(moment, moment, moment)
                log.error("%s does not answer (%s); told once, then counted", what, _name(error))
                return
            outage.failures += 1
            outage.last_failed = moment
            if moment - outage.last_said >= COUNTED_EVERY_SECONDS:
                outage.last_said = moment
                seconds = moment - outage.began
                log.error(
                    "%s still does not answer after %.0f s; %s failures (%s)",
                    what,
                    seconds,
                    f"{outage.failures:,}",
                    _name(error),
                )

    def well(self, what: str) -> None:
        """Note that it answers; an outage that was said is said to be over."""
        if what not in self._open:  # nearly always
            return
        with self._guard:
            outage = self._open.get(what)
            moment = self._now()
            if outage is None or moment - outage.last_failed < QUIET_SECONDS:
                return
            del self._open[what]
            seconds = outage.last_failed - outage.began
        log.warning(
            "%s answers again; it was away for %.0f s, %s failures",
            what,
            seconds,
            f"{outage.failures:,}",
        )


def _name(error: BaseException) -> str:
    """Return the kinds of an error; its text can hold what was sent, or an address with a password."""
    orig = getattr(error, "orig", None)
    inner = f": {type(orig).__name__}" if orig is not None else ""
    return f"{type(error).__name__}{inner}"


outages = Outages()


class SaidOnce(logging.Filter):
    """Keeps out of a log what others say of an outage (libraries, with a trace each), and counts it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a line pass unless it carries an error of something that is away."""
        error = record.exc_info[1] if record.exc_info else None
        what = what_is_away(error) if error is not None else None
        if error is None or what is None:
            return True
        outages.failed(what, error)
        return False
