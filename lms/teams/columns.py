"""The columns of the manager's page: what plugins bring, and what the states mean to the kernel."""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app

from lms.plugin import CellState, Plugin, TeamColumn

# How much a state asks of the manager; three bits, so that many columns fit one integer.
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
BITS = 3
MASK = (1 << BITS) - 1
_DIGITS = bytes.maketrans(b"01234567", bytes(range(8)))
OPEN_FROM = RANKS[CellState.ON_TRACK]  # from here on something is left to be done


def all_columns() -> list[TeamColumn]:
    """Return the columns of every enabled part, in the order of the parts."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    return [
        column for part in parts if part.team_columns is not None for column in part.team_columns()
    ]


def table_columns(columns: Sequence[TeamColumn]) -> list[TeamColumn]:
    """Return those that stand in the table."""
    return [column for column in columns if not column.detail]


def ranks_in(packed: int, count: int) -> bytes:
    """Return the rank in each of `count` columns, packed by `lms.teams.roster`.

    Three bits are one octal digit, and Python writes those ten times as fast as it shifts.
    """
    return f"{packed:0{count}o}".encode()[::-1].translate(_DIGITS) if count else b""
