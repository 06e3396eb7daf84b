"""The table as a file for a spreadsheet: the same rows, order and words as on the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask_babel import gettext as _

from lms.db import db, writing
from lms.people.models import Person
from lms.plugin import TeamColumn
from lms.teams import selection
from lms.teams.cells import kept_cells
from lms.teams.query import TeamQuery
from lms.teams.selection import Asked
from lms.teams.services import Row, as_row, find_leader, visible_columns
from lms.teams.words import Wording, wording

# What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"
ROWS_AT_ONCE = 250
ALL = 2**31 - 1


def neutral(text: str) -> str:
    """Return the text so that no spreadsheet runs it: an apostrophe before what could be a formula.

    NUL is dropped: some readers stop at it.
    """
    text = text.replace("\0", "")
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def stream_rows(
    viewer: Person, query: TeamQuery, columns: Sequence[TeamColumn]
) -> tuple[list[TeamColumn], Iterator[list[Row]]]:
    """Return the columns and all rows of all pages, in the order of the page, some at a time.

    The rows are read while they are asked for, in one reading transaction of their own.
    """
    asked = Asked(query.scope, (find_leader(viewer, query) or viewer).id)
    kept = selection.overview(asked).columns
    visible = visible_columns(columns, kept)
    statement = selection.page_statement(selection.shape_of(asked, query))
    values = selection.values_of(asked, query, kept) | {"most": ALL, "before": 0}

    def rows() -> Iterator[list[Row]]:
        with db.engine.connect() as connection:
            with writing(False):
                connection.begin()
            streamed = connection.execute(
                statement, values, execution_options={"yield_per": ROWS_AT_ONCE}
            )
            for some in streamed.partitions(ROWS_AT_ONCE):
                cells = kept_cells([one[0] for one in some], connection)
                yield [as_row(one, visible, cells.get(one[0], {})) for one in some]

    return visible, rows()


def write_csv(columns: Sequence[TeamColumn], rows: Iterable[Sequence[Row]]) -> Iterator[str]:
    """Yield the table as CSV with a byte-order mark (RFC 4180), some rows at a time."""
    say = wording()
    none = str(_("none"))
    head = [_("Person"), *(str(column.label) for column in columns), _("Next due")]
    yield BYTE_ORDER_MARK + _lines([[neutral(str(text)) for text in head]])
    for some in rows:
        yield _lines([_texts(row, columns, say, none) for row in some])


def _texts(row: Row, columns: Sequence[TeamColumn], say: Wording, none: str) -> list[str]:
    words = [say.cell(cell, column) for cell, column in zip(row.cells, columns, strict=True)]
    due = say.day(row.next_due) if row.next_due is not None else none
    # What cells say are words of ours; a name is anybody's.
    return [neutral(row.name), *words, due]


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
