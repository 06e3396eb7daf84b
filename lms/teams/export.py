"""The table as a file for a spreadsheet: the same rows, order and words as on the page."""

from __future__ import annotations

import csv
import io

from flask_babel import gettext as _

from lms.people.models import Person
from lms.teams.query import TeamQuery
from lms.teams.services import everybody_matching
from lms.teams.words import Wording

# What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"


def neutral(text: str) -> str:
    """Return the text so that no spreadsheet runs it: an apostrophe before what could be a formula.

    NUL is dropped: some readers stop at it.
    """
    text = text.replace("\0", "")
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def build_csv(viewer: Person, query: TeamQuery) -> str:
    """Return the whole table, every page of it, as CSV with a byte-order mark (RFC 4180)."""
    columns, rows = everybody_matching(viewer, query)
    out = io.StringIO()
    writer = csv.writer(out)
    head = [_("Person"), *(str(column.label) for column in columns), _("Next due")]
    writer.writerow([neutral(str(text)) for text in head])
    wording = Wording()
    none = str(_("none"))
    for row in rows:
        words = [
            wording.cell(cell, column) for cell, column in zip(row.cells, columns, strict=True)
        ]
        due = wording.day(row.next_due) if row.next_due is not None else none
        writer.writerow([neutral(text) for text in (row.name, *words, due)])
    return BYTE_ORDER_MARK + out.getvalue()
