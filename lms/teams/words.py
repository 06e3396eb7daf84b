"""The manager's page in words: what a cell says, and the sentence that the page opens with."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import format_date, format_number, ngettext, to_user_timezone
from flask_babel import gettext as _

from lms import clock
from lms.number_words import count_word
from lms.plugin import CellState, TeamColumn
from lms.teams.columns import RANKS
from lms.teams.roster import Cell

TONES = {
    CellState.DONE: "ok",
    CellState.MET: "ok",
    CellState.OVERDUE: "late",
    CellState.DUE: "soon",
    CellState.NONE: "muted",
}


def local_day(moment: dt.datetime) -> dt.date:
    """Return the day of a moment in the time zone in which the page is shown."""
    found: dt.date = to_user_timezone(moment).date()
    return found


def day(moment: dt.datetime) -> str:
    """Return "19 November", with the year where it is another than this."""
    when, today = local_day(moment), local_day(clock.now())
    pattern = "d MMMM" if when.year == today.year else "d MMMM yyyy"
    return str(format_date(when, pattern, rebase=False))


def cell_words(cell: Cell, column: TeamColumn) -> str:
    """Return what a cell says: "overdue 4 days", "on track, 4 of 9", "done"."""
    said = _state_words(cell)
    shows_number = cell.state in (CellState.ON_TRACK, CellState.DUE, CellState.OVERDUE)
    if shows_number and column.total is not None and cell.number is not None:
        return str(
            _(
                "%(state)s, %(number)s of %(total)s",
                state=said,
                number=format_number(cell.number),
                total=format_number(column.total),
            )
        )
    return said


def _state_words(cell: Cell) -> str:
    left = (local_day(cell.due_at) - local_day(clock.now())).days if cell.due_at else None
    if cell.state == CellState.OVERDUE:
        if left is None or left >= 0:
            return str(_("overdue"))
        return str(ngettext("overdue 1 day", "overdue %(num)d days", -left))
    if cell.state == CellState.DUE and left is not None:
        if left <= 0:
            return str(_("due today"))
        return str(ngettext("due tomorrow", "due in %(num)d days", left))
    plain: dict[CellState, str] = {
        CellState.DONE: _("done"),
        CellState.ON_TRACK: _("on track"),
        CellState.DUE: _("due soon"),
        CellState.NOT_STARTED: _("not started"),
        CellState.MET: _("held"),
        CellState.NOT_MET: _("not yet"),
        CellState.NONE: _("not asked"),
    }
    return plain[cell.state]


def condition_words(state: CellState) -> str:
    """Return what a condition of a certificate says: met or not, never how much."""
    return str(_("met") if state in (CellState.MET, CellState.DONE) else _("not met yet"))


def tone(state: CellState) -> str:
    """Return the class that colours a state; the word stands beside it always."""
    return TONES.get(state, "")


def state_label(state: CellState) -> str:
    """Return the name of a state in a list of filters."""
    labels: dict[CellState, str] = {
        CellState.OVERDUE: _("Overdue"),
        CellState.DUE: _("Due within a week"),
        CellState.NOT_STARTED: _("Not started"),
        CellState.ON_TRACK: _("On track"),
        CellState.DONE: _("Done"),
    }
    return labels[state]


def headline(counts: Any) -> str:
    """Return the sentence that answers: who needs the manager. `counts` is by worst rank."""

    def people(state: CellState) -> int:
        found: int = counts[RANKS[state]]
        return found

    late, due, idle = (
        people(state) for state in (CellState.OVERDUE, CellState.DUE, CellState.NOT_STARTED)
    )
    if late:
        return str(
            ngettext(
                "One person needs you", "%(count)s people need you", late, count=count_word(late)
            )
        )
    if due:
        return str(
            ngettext(
                "Nobody is late. One person has a week",
                "Nobody is late. %(count)s people have a week",
                due,
                count=count_word(due),
            )
        )
    if idle:
        return str(
            ngettext(
                "Nobody is late. One person has not begun",
                "Nobody is late. %(count)s people have not begun",
                idle,
                count=count_word(idle),
            )
        )
    if people(CellState.ON_TRACK):
        return str(_("Everyone is on track"))
    if people(CellState.DONE) or people(CellState.MET) or people(CellState.NOT_MET):
        return str(_("Everyone is done"))
    return str(_("Nothing is asked of your people yet"))
