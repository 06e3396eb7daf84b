"""Looking for what must not be there: in every file of an installation, and in every table."""

from __future__ import annotations

import base64
from pathlib import Path

from sqlalchemy import inspect, text

from lms.db import db


def marks_found(mark: str, folder: Path, leave_out: Path | None = None) -> list[str]:
    """Return where `mark` stands: files below `folder` (database, WAL, job queue, documents), rows.

    Looked for as UTF-8, UTF-16, hexadecimal and Base64 at each of its three offsets.
    """
    plain = mark.encode()
    needles = {plain, mark.encode("utf-16-le"), plain.hex().encode()}
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + plain)
        needles.add(coded[4 * (offset > 0) : -4])
    found = [
        str(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not (leave_out is not None and path.is_relative_to(leave_out))
        and any(needle in path.read_bytes() for needle in needles)
    ]
    return found + rows_found(mark)


def rows_found(mark: str) -> list[str]:
    """Return the tables with a row that holds `mark` (for databases that are no files of ours)."""
    found = []
    for table in inspect(db.engine).get_table_names():
        rows = db.session.execute(text(f'SELECT * FROM "{table}"')).all()  # noqa: S608
        if any(mark in repr(tuple(row)) for row in rows):
            found.append(table)
    db.session.rollback()
    return found
