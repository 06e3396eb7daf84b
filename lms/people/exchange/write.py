"""Everybody as CSV, in the columns that the import reads: an export is an import that changes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import aliased

from lms.db import db
from lms.people.exchange.read import FORMULA_STARTS
from lms.people.models import Identity, Person, Unit

COLUMNS = (
    "employee number", "email", "sign-in name", "name", "given name", "family name", "unit", "manager", "job role",
    "hired on", "active", "language",
)  # fmt: skip


def neutral(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def export_people() -> Iterator[str]:
    """Yield the lines of a CSV file with everybody who has a name, one query for all."""
    above = aliased(Identity)
    rows = db.session.execute(
        select(Identity, Person, Unit.name, above.employee_number, above.email, above.sign_in_name)
        .join(Person, Person.id == Identity.person_id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .outerjoin(above, above.person_id == Person.manager_id)
        .order_by(Identity.sort_name, Person.id)
    )
    yield "\ufeff" + _line(list(COLUMNS))  # the mark makes spreadsheets read UTF-8
    for identity, person, unit, *manager in rows:
        given, family = _parted(identity.display_name, identity.given_name)
        yield _line(
            [
                identity.employee_number or "",
                identity.email or "",
                identity.sign_in_name or "",
                identity.display_name,
                given,
                family,
                unit or "",
                next((key for key in manager if key), ""),
                person.job_role,
                person.hired_on.isoformat() if person.hired_on else "",
                "yes" if person.active else "no",
                person.language,
            ]
        )


def _parted(display_name: str, given_name: str) -> tuple[str, str]:
    """Return the given name and what of the full name is left."""
    if given_name and display_name.startswith(f"{given_name} "):
        return given_name, display_name[len(given_name) + 1 :]
    return given_name, ""


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([neutral(cell) for cell in cells])
    return out.getvalue()
