"""The manager's page in words: what a cell says, and the sentence that the page opens with."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from flask_babel import format_number, get_locale, get_timezone, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from lms import clock, days
from lms.number_words import count_word
from lms.plugin import CellState, TeamColumn
from lms.teams.cells import Cell
from lms.teams.rules import Act
from lms.teams.services import Row
from lms.written import isolate

TONES = {
    CellState.DONE: "ok",
    CellState.MET: "ok",
    CellState.OVERDUE: "late",
    CellState.DUE: "soon",
    CellState.NONE: "muted not-asked",
}

# What a state is called in a list of filters.
LABELS = {
    CellState.OVERDUE: _l("Overdue"),
    CellState.DUE: _l("Due within a week"),
    CellState.NOT_STARTED: _l("Not started"),
    CellState.ON_TRACK: _l("On track"),
    CellState.DONE: _l("Done"),
}
PLAIN = {
    CellState.OVERDUE: _l("overdue"),
    CellState.DUE: _l("due soon"),
    CellState.NOT_STARTED: _l("not started"),
    CellState.ON_TRACK: _l("on track"),
    CellState.DONE: _l("done"),
    CellState.MET: _l("held"),
    CellState.NOT_MET: _l("not yet"),
    CellState.NONE: _l("not asked"),
}
DATED = frozenset({CellState.OVERDUE, CellState.DUE})
COUNTED = frozenset({CellState.ON_TRACK, CellState.DUE, CellState.OVERDUE})


def wording() -> Wording:
    """Return the words of the present reader's language, as they are today."""
    zone = get_timezone()
    return _wording(str(get_locale()), zone, clock.now().astimezone(zone).date())


@lru_cache(maxsize=32)
def _wording(_language: str, zone: dt.tzinfo, today: dt.date) -> Wording:
    return Wording(zone, today)


class Wording:
    """What cells and days read like, in one language and on one day: said once, worked out once.

    Two cells of the same state, number and day read the same, and there are thousands of them.
    """

    def __init__(self, zone: dt.tzinfo, today: dt.date) -> None:
        self.zone = zone
        self.today = today
        self._cells: dict[tuple[CellState, int | None, int | None, int | None], str] = {}
        self._days: dict[dt.date, str] = {}

    def day(self, moment: dt.datetime) -> str:
        """Return "19 November", with the year where it is another than this."""
        when = moment.astimezone(self.zone).date()
        found = self._days.get(when)
        if found is None:
            found = self._days[when] = days.near(when)
        return found

    def cell(self, cell: Cell, column: TeamColumn) -> str:
        """Return what a cell says: "overdue 4 days", "on track, 4 of 9", "done"."""
        left: int | None = None
        if cell.due_at is not None and cell.state in DATED:
            left = (cell.due_at.astimezone(self.zone).date() - self.today).days
        counts = cell.number is not None and column.total is not None and cell.state in COUNTED
        number, total = (cell.number, column.total) if counts else (None, None)
        key = (cell.state, left, number, total)
        found = self._cells.get(key)
        if found is None:
            found = self._cells[key] = cell_words(cell.state, left, number, total)
        return found


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table in words. cells: (label of the column, class, text); act: see `Act`."""

    uid: str
    name: str
    cells: list[tuple[str, str, str]]
    due: str
    due_on: str
    act: str
    done: str  # what stands in the place of the act, where there is none to do


def lines(rows: Sequence[Row], columns: Sequence[TeamColumn]) -> list[Line]:
    """Return the rows of a page in words, so that the template has but to write them down."""
    say = wording()
    labels = [isolate(str(column.label)) for column in columns]
    instead = {
        Act.NUDGE: str(_("nudged today")),
        Act.THANK: str(_("thanked")),
        Act.NOTHING: str(_("fine")),
    }
    not_asked = str(PLAIN[CellState.NONE])
    return [
        Line(
            uid=row.uid,
            name=row.name,
            cells=[
                (label, tone(cell.state), say.cell(cell, column))
                for label, cell, column in zip(labels, row.cells, columns, strict=True)
            ],
            due=say.day(row.next_due) if row.next_due else "",
            due_on=row.next_due.isoformat() if row.next_due else "",
            act="" if row.done else row.act.value,
            done=instead[row.act] if row.act or row.overall != CellState.NONE else not_asked,
        )
        for row in rows
    ]


def cell_words(state: CellState, left: int | None, number: int | None, total: int | None) -> str:
    """Return the words of a state: `left` whole days until it is due, `number` of `total` done."""
    said = _dated(state, left) or PLAIN[state]
    if number is None or total is None:
        return str(said)
    return str(
        _(
            "%(state)s, %(number)s of %(total)s",
            state=said,
            number=format_number(number),
            total=format_number(total),
        )
    )


def _dated(state: CellState, left: int | None) -> str | None:
    if left is None:
        return None
    if state == CellState.OVERDUE and left < 0:
        return str(ngettext("overdue 1 day", "overdue %(num)d days", -left))
    if state == CellState.DUE:
        return str(
            ngettext("due tomorrow", "due in %(num)d days", left) if left else _("due today")
        )
    return None


def condition_words(state: CellState) -> str:
    """Return what a condition of a certificate says: met or not, never how much."""
    return str(_("met") if state in (CellState.MET, CellState.DONE) else _("not met yet"))


def tone(state: CellState) -> str:
    """Return the class that colours a state; the word stands beside it always."""
    return TONES.get(state, "")


def headline(counts: Counter[CellState]) -> str:
    """Return the sentence that answers: who needs the manager.

    counts: people by what their states come to (`lms.teams.rules.judge`).
    """
    late, due, idle = (
        counts[state] for state in (CellState.OVERDUE, CellState.DUE, CellState.NOT_STARTED)
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
    everyone = not counts[CellState.NONE]
    if counts[CellState.ON_TRACK]:
        on_track = _("Everyone is on track") if everyone else _("Whoever was asked is on track")
        return str(on_track)
    if counts[CellState.DONE]:
        return str(_("Everyone is done") if everyone else _("Whoever was asked is done"))
    return str(_("Nothing is asked of your people yet"))
