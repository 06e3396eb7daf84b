"""What the manager's page keeps of a person, for the page that tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from lms.plugin import Held
from lms.teams.cells import kept_cells
from lms.teams.columns import all_columns, table_columns
from lms.teams.words import wording


def standing(person_id: int) -> Sequence[Mapping[str, Any]]:
    """What those above see in their table, column by column."""
    own = kept_cells([person_id]).get(person_id, {})
    say = wording()
    return [
        {
            "item": str(column.label),
            "state": say.cell(cell, column),
            "number": cell.number,
            "due": cell.due_at,
        }
        for column in table_columns(all_columns())
        if (cell := own.get(column.slug)) is not None
    ]


def in_words(row: Mapping[str, Any]) -> str:
    """Say where somebody stands with one item."""
    return str(_("%(item)s: %(state)s.", item=row["item"], state=row["state"]))


HELD = (
    Held(
        "teams.standing",
        _l("Where you stand, as those above you see it"),
        _l("So that whoever leads you sees in one look whether something waits for you."),
        _l("You, those above you, and administrators: what is done, open or met, and its date."),
        _l("Until your name is removed; it goes with it."),
        standing,
        in_words,
    ),
)
