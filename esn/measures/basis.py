"""Which acts a met condition rests on: as few as suffice, the earliest that did. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counted:
    """One act that counts: on which day (since 1970), what it counts as, and how often.

    thing: what has to differ, such as the person answered; None: every act counts by itself.
    """

    day: int
    thing: Hashable | None
    weight: int
    event: str
    statement_id: str | None


def enough(acts: Sequence[Counted], need: int, days: int | None) -> list[Counted]:
    """Return the first acts that bring `need`, within any `days` consecutive days where given.

    acts: in the order in which they happened. Empty where they do not suffice.
    """
    for stretch in _stretches(acts, days):
        found: list[Counted] = []
        have, seen = 0, set()
        for act in stretch:
            if act.thing is not None and act.thing in seen:
                continue
            seen.add(act.thing)
            found.append(act)
            have += act.weight
            if have >= need:
                return found
    return []


def _stretches(acts: Sequence[Counted], days: int | None) -> Iterator[Sequence[Counted]]:
    """Yield the acts of each stretch of so many days, by the day on which it ends."""
    if days is None:
        yield acts
        return
    first = 0
    for after, act in enumerate(acts, start=1):
        if after < len(acts) and acts[after].day == act.day:
            continue  # the stretch takes in the whole of its last day
        while acts[first].day <= act.day - days:
            first += 1
        yield acts[first:after]
