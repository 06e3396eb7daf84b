"""Who is done, fine, or needs the manager: every combination of states."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter

import pytest
from flask import Flask

from lms.plugin import CellState as S
from lms.teams.rules import FINE, RANKS, Act, act_of, dated, judge
from lms.teams.words import headline

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
OFFERED = {S.NONE, S.MET, S.NOT_MET}  # asked of nobody
EVERY = [set(states) for size in range(len(S) + 1) for states in itertools.combinations(S, size)]
# Of what is asked, the first of these that is there is what it comes to.
TABLE = [S.OVERDUE, S.DUE, S.NOT_STARTED, S.ON_TRACK, S.DONE]


def test_there_are_as_many_combinations_as_there_are() -> None:
    assert len(EVERY) == 2 ** len(S) == 256
    assert set(TABLE) | OFFERED == set(S) == set(RANKS)


@pytest.mark.parametrize("states", EVERY, ids=lambda states: "+".join(sorted(states)) or "nothing")
def test_what_states_come_to(states: set[S]) -> None:
    overall = judge(states)
    expected = next((state for state in TABLE if state in states), S.NONE)
    assert overall == expected
    assert (overall == S.NONE) == (states <= OFFERED)  # in no total
    if overall == S.DONE:
        assert S.DONE in states
        assert not states & {S.OVERDUE, S.DUE, S.NOT_STARTED, S.ON_TRACK}
    assert (overall in FINE) == (expected in {S.DONE, S.ON_TRACK})
    achieved = len(states & {S.DONE, S.MET})
    waits = bool(states & {S.OVERDUE, S.DUE, S.NOT_STARTED})
    thanked = not waits and S.ON_TRACK not in states and achieved > 0
    assert act_of(overall, achieved) == (
        Act.NUDGE if waits else Act.THANK if thanked else Act.NOTHING
    )
    assert judge([*states, S.NOT_MET]) == overall  # an offer makes nobody done, nor late


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize(
    ("due_in_days", "makes"), [(-1, S.OVERDUE), (0, S.DUE), (6, S.DUE), (7, None), (None, None)]
)
def test_a_date_makes_what_is_open_due_or_overdue(
    state: S, due_in_days: int | None, makes: S | None
) -> None:
    due = None if due_in_days is None else NOW + dt.timedelta(days=due_in_days)
    found = dated(state, due, NOW)
    if state in OFFERED | {S.DONE} or makes is None:
        assert found == state
    else:
        assert found == max(state, makes, key=RANKS.__getitem__)


@pytest.mark.parametrize(
    ("people", "says"),
    [
        ({}, "Nothing is asked of your people yet"),
        ({S.NONE: 9802}, "Nothing is asked of your people yet"),
        ({S.NONE: 9801, S.DONE: 1}, "Whoever was asked is done"),
        ({S.NONE: 5, S.DONE: 1, S.ON_TRACK: 1}, "Whoever was asked is on track"),
        ({S.DONE: 5}, "Everyone is done"),
        ({S.DONE: 5, S.ON_TRACK: 1}, "Everyone is on track"),
        ({S.NOT_STARTED: 20}, "Nobody is late. 20 people have not begun"),
        ({S.DONE: 5, S.DUE: 1}, "Nobody is late. One person has a week"),
        ({S.DONE: 5, S.DUE: 1, S.OVERDUE: 2}, "Two people need you"),
    ],
)
def test_the_page_opens_with_what_is_so(app: Flask, people: dict[S, int], says: str) -> None:
    with app.test_request_context():
        assert headline(Counter(people)).lower() == says.lower()
