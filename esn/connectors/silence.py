"""Whether a network is silent in a way that somebody should look into. Pure; in days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

# Somebody who has just connected a network needs some time to set up its other side.
NEW_HOURS = 24
# A long weekend is no silence, however busy a network is otherwise.
LEAST_DAYS = 4
# Beyond the longest silence so far: the next Christmas is a little longer than the last.
SLACK = 1.5


class Silence(StrEnum):
    """What a network's silence means."""

    NONE = "none"  # it is heard of as it always was
    NEW = "new"  # nothing has come, and nothing need have
    NEVER_HEARD = "never heard"
    LONGER_THAN_EVER = "longer than ever"


@dataclass(frozen=True, slots=True)
class Heard:
    """When a network was heard of: since when it could be, when last, its longest silence so far."""

    since: dt.datetime
    last: dt.datetime | None
    longest_seconds: int

    def days_silent(self, now: dt.datetime) -> int:
        """Return for how many whole days nothing has come; 0 too where the clock was set back."""
        return max(0, (now - (self.last or self.since)).days)


def is_new(heard: Heard, now: dt.datetime) -> bool:
    """Return whether the network was connected so lately that nothing need have come."""
    return now - heard.since < dt.timedelta(hours=NEW_HOURS)


def judge(heard: Heard, now: dt.datetime) -> Silence:
    """Return what it means that nothing has come since it did."""
    if heard.last is None:
        return Silence.NEW if is_new(heard, now) else Silence.NEVER_HEARD
    patience = max(
        dt.timedelta(days=LEAST_DAYS), dt.timedelta(seconds=heard.longest_seconds) * SLACK
    )
    return Silence.LONGER_THAN_EVER if now - heard.last > patience else Silence.NONE
