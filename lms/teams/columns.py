"""The columns of the manager's page: what plugins bring."""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app

from lms.plugin import Plugin, TeamColumn


def all_columns() -> list[TeamColumn]:
    """Return the columns of every enabled part, in the order of the parts."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    return [
        column for part in parts if part.team_columns is not None for column in part.team_columns()
    ]


def table_columns(columns: Sequence[TeamColumn]) -> list[TeamColumn]:
    """Return those that stand in the table."""
    return [column for column in columns if not column.detail]


def is_announced(column: TeamColumn) -> bool:
    """Whether its plugin says when it changes (`lms.events.StandingChanged`)."""
    return bool(getattr(column, "announced", False))
