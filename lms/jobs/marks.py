"""The marks by which workers on several machines find out whether they share one folder for files.

Pictures, printed certificates and exports are files in LMS_FILES, made by whichever machine it was
and asked for at any other. A worker writes when it was seen both into the database and into that
folder; where a worker's mark is missing from ours, its folder is another one. A copied folder does
not pass either: the marks in it grow old.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path

from flask import current_app

from lms import clock

MARKS = "workers"


def folder() -> Path:
    """Return the folder of the workers' marks."""
    files: Path = current_app.config["LMS_FILES"]
    return files / MARKS


def leave_mark(name: str) -> None:
    """Write when a worker was seen; a folder that cannot be written is the doctor's to say."""
    with contextlib.suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = folder() / f"{name}.part"
        unfinished.write_text(clock.now().isoformat())
        unfinished.replace(folder() / name)


def read_mark(name: str) -> dt.datetime | None:
    """Return when a worker says that it was seen, or None where it left no mark here."""
    try:
        return dt.datetime.fromisoformat((folder() / name).read_text())
    except (OSError, ValueError):
        return None


def take_mark(name: str) -> None:
    """Remove a worker's mark, and those of workers that are long gone."""
    long_ago = (clock.now() - dt.timedelta(days=1)).timestamp()
    with contextlib.suppress(OSError):
        (folder() / name).unlink(missing_ok=True)
        for mark in folder().iterdir():
            if mark.stat().st_mtime < long_ago:
                mark.unlink(missing_ok=True)
