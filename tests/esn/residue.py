"""Looking for what must not be there: in every file of an installation, and in every table."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from pypdf import PdfReader
from pypdf.generic import StreamObject
from sqlalchemy import inspect, text

from lms.db import db


def marks_found(mark: str, folder: Path, leave_out: Path | None = None) -> list[str]:
    """Return where `mark` stands: files below `folder` (database, WAL, job queue, documents), rows.

    Looked for as UTF-8, UTF-16, hexadecimal and Base64 at each of its three offsets; in a PDF, also
    in what its streams hold when they are unpacked, and in the text that a reader would see.
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
        and any(needle in content for needle in needles for content in contents(path))
    ]
    return found + rows_found(mark)


def contents(path: Path) -> list[bytes]:
    """Return what a file holds: its bytes, and for a PDF what is packed in it."""
    content = path.read_bytes()
    if not content.startswith(b"%PDF"):
        return [content]
    reader = PdfReader(io.BytesIO(content))
    unpacked = [content]
    for number in sorted(reader.xref_objStm.keys() | reader.xref[0].keys()):
        found = reader.get_object(number)
        unpacked.append(repr(found).encode())
        if isinstance(found, StreamObject):
            unpacked.append(found.get_data())
    for page in reader.pages:
        text = page.extract_text()
        unpacked += [text.encode(), "".join(text.split()).encode()]  # a line may break anywhere
    unpacked += [repr(dict(reader.metadata or {})).encode()]
    for name, files in reader.attachments.items():
        unpacked += [name.encode(), *files]
    return unpacked


def rows_found(mark: str) -> list[str]:
    """Return the tables with a row that holds `mark` (for databases that are no files of ours)."""
    found = []
    for table in inspect(db.engine).get_table_names():
        rows = db.session.execute(text(f'SELECT * FROM "{table}"')).all()  # noqa: S608
        if any(mark in repr(tuple(row)) for row in rows):
            found.append(table)
    db.session.rollback()
    return found
