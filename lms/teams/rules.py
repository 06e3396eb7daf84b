"""What a person's states come to: who is done, who is fine, who needs the manager. Pure.

A state says what one column knows of one person. Some states answer something that is *asked* of
the person, with or without a date: a path. Others tell of what the person *may* earn: a
certificate is offered, never asked, so that not holding one is neither done nor late.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from enum import StrEnum

from lms.plugin import CellState

DUE_SOON = dt.timedelta(days=7)
# How much a state asks of the manager, from nothing at all; tables keep these numbers.
RANKS: dict[CellState, int] = {
    CellState.NONE: 0,
    CellState.MET: 1,
    CellState.DONE: 2,
    CellState.NOT_MET: 3,
    CellState.ON_TRACK: 4,
    CellState.NOT_STARTED: 5,
    CellState.DUE: 6,
    CellState.OVERDUE: 7,
}
STATES = {rank: state for state, rank in RANKS.items()}
OPEN = frozenset(
    {CellState.ON_TRACK, CellState.NOT_STARTED, CellState.DUE, CellState.OVERDUE}
)  # asked, with something left to be done
ASKED = OPEN | {CellState.DONE}
ACHIEVED = frozenset({CellState.DONE, CellState.MET})
FINE = frozenset({CellState.DONE, CellState.ON_TRACK})  # nothing to do for the manager
WAITING = frozenset({CellState.NOT_STARTED, CellState.DUE, CellState.OVERDUE})  # may be nudged


class Act(StrEnum):
    """What the manager can do for somebody."""

    NUDGE = "nudge"
    THANK = "thank"
    NOTHING = ""


def dated(state: CellState, due_at: dt.datetime | None, moment: dt.datetime) -> CellState:
    """Return what an open state is at `moment`: overdue, due within a week, or as it was.

    A state is never made better: what its column calls overdue stays so.
    """
    if state not in OPEN or due_at is None:
        return state
    if due_at < moment:
        return CellState.OVERDUE
    if due_at < moment + DUE_SOON and state != CellState.OVERDUE:
        return CellState.DUE
    return state


def judge(states: Collection[CellState]) -> CellState:
    """Return what all of a person's states come to: the worst of what is asked of them.

    DONE only where all that is asked is done; NONE where nothing is asked, whatever is offered or
    held: who is asked nothing is in no total.
    """
    return max(
        (one for one in states if one in ASKED), key=RANKS.__getitem__, default=CellState.NONE
    )


def act_of(overall: CellState, achieved: int) -> Act:
    """Return what the manager can do: remind of what waits, thank for what is achieved.

    overall: of `judge`; achieved: how many states are of `ACHIEVED`.
    """
    if overall in WAITING:
        return Act.NUDGE
    return Act.THANK if achieved and overall not in OPEN else Act.NOTHING
