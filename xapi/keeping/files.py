"""Files of statements in LMS_FILES: appended to, cut back, removed."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from flask import current_app

from xapi.keeping.choice import STATEMENTS

LARGE = 10_000  # statements; from here on files are compressed


def folder() -> Path:
    """Return the folder of all files of statements."""
    files: Path = current_app.config["LMS_FILES"]
    return files / "xapi-exports"


def path_of(uid: str, part: str, compressed: bool) -> Path:
    """Return where a part of an export lies."""
    return folder() / uid / f"{part}.jsonl{'.gz' if compressed else ''}"


def append(path: Path, size: int, lines: Sequence[bytes]) -> int:
    """Write lines behind the first `size` bytes of a file, to the disk; return its new size.

    Compressed ones get a member of their own for each call, which gzip reads as one file.
    """
    data = b"".join(line + b"\n" for line in lines)
    if path.suffix == ".gz":
        data = gzip.compress(data, compresslevel=6, mtime=0)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(number, "r+b") as file:
        file.truncate(size)
        file.seek(size)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return size + len(data)


def beside(path: Path, part: str) -> Path:
    """Return where the other parts of a file of statements lie: all.jsonl.gz, all.attachments.jsonl.gz."""
    if part == STATEMENTS:
        return path
    plain = path.name.removesuffix(".gz")
    stem, dot, ending = plain.rpartition(".")
    name = f"{stem}.{part}.{ending}" if dot else f"{plain}.{part}"
    return path.with_name(name + (".gz" if path.suffix == ".gz" else ""))


def remove(uid: str) -> None:
    """Remove the files of one export; none there is none the less removed."""
    shutil.rmtree(folder() / uid, ignore_errors=True)


def sweep(kept: frozenset[str]) -> None:
    """Remove every folder but those of these exports."""
    if folder().is_dir():
        for found in folder().iterdir():
            if found.name not in kept:
                shutil.rmtree(found, ignore_errors=True)
