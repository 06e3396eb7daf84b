"""What 120 people do in their network in two months: surge, decay, and what training changes.

Pure and seeded. An act is a dict in the words of the signed webhook
(docs/administrators/networks/webhook.md). The curve is the one that companies report: everybody
tries the new thing, most stop within weeks; those who have learned what it is for go on.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lms.demo.company import Company, Member

# name, kind, how many of the staff join sooner or later
GROUPS = (
    ("all-halden", "work", 1.0),
    ("field-notes", "work", 0.6),
    ("safety", "work", 0.6),
    ("new-here", "social", 0.4),
    ("ask-the-hub", "work", 0.7),
    ("customers-first", "work", 0.5),
    ("fleet-and-road", "work", 0.4),
    ("ideas", "work", 0.35),
    ("leaders-listening", "leaders", 0.3),
    ("running-club", "social", 0.2),
    ("lunch-and-learn", "social", 0.3),
)

# acts on a working day for somebody in full swing
RATE = {"engager": 33.0, "catalyst": 30.0, "responder": 30.0, "broadcaster": 22.0, "observer": 10.0}
# (verb, weight): what each persona's acts are
MIX: dict[str, tuple[tuple[str, float], ...]] = {
    "engager": (("posted", 2), ("replied", 4), ("reacted", 6), ("mentioned", 1)),
    "catalyst": (("posted", 4), ("replied", 3), ("reacted", 4), ("mentioned", 1.5)),
    "responder": (("posted", 0.5), ("replied", 6), ("reacted", 6), ("mentioned", 0.5)),
    "broadcaster": (("posted", 5), ("replied", 0.7), ("reacted", 2), ("shared", 2)),
    "observer": (("posted", 0.3), ("replied", 0.8), ("reacted", 4)),
}
WEEKEND = 0.12
RECENT_POSTS = 60


def swing(day: int, begun: int, trained_on: int | None) -> float:
    """Return how much of their full rate somebody shows on `day` (0 to about 1.3).

    `begun`: the day they first had the network; `trained_on`: the day they finished their path.
    """
    since = day - begun
    if since < 0:
        return 0.0
    novelty = 0.95 * math.exp(-since / 8) + 0.06
    if trained_on is None or day < trained_on:
        return novelty
    return max(novelty, min(1.0, 0.45 + 0.05 * (day - trained_on)))


@dataclass
class Traffic:
    """The network as it goes on: its recent posts, who is in which group."""

    company: Company
    first_day: dt.date
    dice: random.Random
    # object, author, number of the group
    posts: deque[tuple[str, str, int]] = field(default_factory=lambda: deque(maxlen=RECENT_POSTS))
    joined: dict[str, list[int]] = field(default_factory=dict)
    number: int = 0

    def day(self, day: int, trained_on: Mapping[str, int]) -> list[dict[str, Any]]:
        """Return the acts of one day, in the order in which they happened."""
        date = self.first_day + dt.timedelta(days=day)
        acts: list[tuple[dt.datetime, Member]] = []
        for member in self.company.members:
            begun = max(0, (member.hired_on - self.first_day).days)
            rate = RATE[member.persona] * swing(day, begun, trained_on.get(member.key))
            if member.role == "executive" and member.key not in trained_on:
                rate *= 0.25
            if date.weekday() >= 5:
                rate *= WEEKEND
            acts.extend((moment, member) for moment in self._moments(date, rate))
        acts.sort(key=lambda act: (act[0], act[1].key))
        return [event for moment, member in acts for event in self._act(member, moment)]

    def _moments(self, date: dt.date, rate: float) -> Iterator[dt.datetime]:
        """Moments of a Poisson process over the working day, breaks and evenings included."""
        count, limit, product = 0, math.exp(-rate), self.dice.random()
        while product > limit:
            count += 1
            product *= self.dice.random()
        for _ in range(count):
            hour = self.dice.triangular(6, 22, 11)
            yield dt.datetime.combine(date, dt.time(), dt.UTC) + dt.timedelta(hours=hour)

    def _act(self, member: Member, at: dt.datetime) -> Iterator[dict[str, Any]]:
        mine = self.joined.setdefault(member.key, [])
        if not mine or self.dice.random() < 0.01:
            wanted = self._next_group(member, mine)
            if wanted is not None:
                mine.append(wanted)
                yield self._event(member, at, "joined", f"group-{GROUPS[wanted][0]}", wanted)
        verbs, weights = zip(*MIX[member.persona], strict=True)
        verb = self.dice.choices(verbs, weights)[0]
        if verb in ("posted", "shared") or not self.posts:
            group = self.dice.choice(mine)
            event = self._event(member, at, "posted" if not self.posts else verb, None, group)
            self.posts.append((event["object"], member.key, group))
            yield event
            return
        target, author, group = self.dice.choice(self.posts)
        event = self._event(member, at, verb, None, group)
        event["parent"] = target
        event["recipient"] = author
        yield event

    def _next_group(self, member: Member, mine: list[int]) -> int | None:
        for number, (_name, kind, share) in enumerate(GROUPS):
            if number in mine or (kind == "leaders" and member.role not in LEADERS):
                continue
            if not mine or self.dice.random() < share / 3:
                return number
        return None

    def _event(
        self, member: Member, at: dt.datetime, verb: str, thing: str | None, group: int
    ) -> dict[str, Any]:
        self.number += 1
        name, kind, _share = GROUPS[group]
        return {
            "id": f"e{self.number}",
            "at": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "verb": verb,
            "actor": member.key,
            "object": thing or f"m{self.number}",
            "group": name,
            "group_kind": kind,
            "client": "mobile" if self.dice.random() < member.phone else "desktop",
        }


LEADERS = frozenset({"executive", "people manager"})
