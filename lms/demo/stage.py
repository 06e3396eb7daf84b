"""The stage of the demo company's story: what the steps that plugins bring may use.

The story runs day by day on an injected clock. Each enabled plugin may bring a `Step`
(`Plugin.demo`); the steps of lower order go first. What they do goes through the same doors as in
a real company: services, jobs, and the network's HTTP intake.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from flask import Flask

from lms import clock
from lms.demo.company import Company


@dataclass
class Stage:
    """The company, the calendar and the results so far.

    person_ids: employee number to person id. trained_on: employee number to the day of the story
    on which that person finished the first of their paths. pages, connections: what
    `instance/demo.json` will say (addresses are paths, completed with the base URL).
    base_url: where the app answers over HTTP while the story is told.
    """

    app: Flask
    company: Company
    first_day: dt.date
    base_url: str
    dice: random.Random
    person_ids: dict[str, int]
    say: Callable[[str], None]
    set_clock: Callable[[dt.datetime], None]
    trained_on: dict[str, int] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    connections: dict[str, dict[str, Any]] = field(default_factory=dict)

    def key_of(self, name: str) -> str:
        """Return the employee number of one of the cast."""
        return next(member.key for member in self.company.members if member.name == name)

    def today(self) -> dt.date:
        """Return the day on which the story stands."""
        return clock.today()

    def pass_time(self, seconds: float) -> None:
        """Let some time go by."""
        self.set_clock(clock.now() + dt.timedelta(seconds=seconds))

    def moment(self, day: int, hour: float) -> dt.datetime:
        """Return a moment of the story: `hour` (UTC, with fractions) of day number `day`."""
        date = self.first_day + dt.timedelta(days=day)
        return dt.datetime.combine(date, dt.time(), dt.UTC) + dt.timedelta(hours=hour)


class Step(Protocol):
    """A plugin's part in the story."""

    def prepare(self, stage: Stage) -> None:
        """Set up what must be there before the first day."""
        ...

    def day(self, stage: Stage, number: int) -> None:
        """Live one day; the clock stands at its morning."""
        ...

    def finish(self, stage: Stage) -> None:
        """After the last day: fill in `stage.pages` and `stage.connections`."""
        ...
