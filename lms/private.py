"""Files that nobody else on the machine may read: 0600, in folders of 0700.

What a process of ours makes is private from the first byte, by its umask; what an earlier version
made is mended at the start. Only what is ours is touched: somebody may have put the database into a
folder with other things in it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

UMASK = 0o077
# What the kernel itself keeps in the instance folder.
KERNEL_ENTRIES = ("*.sqlite3", "*.sqlite3-*", "*.lock", "demo", "demo.building", "demo.json*")


def begin() -> None:
    """Make all that this process creates from now on its owner's alone."""
    os.umask(UMASK)


def mend(instance: Path, folders: Iterable[str], database: str | None) -> None:
    """Close what is too open in the instance folder, and a SQLite database that lies elsewhere.

    folders: what plugins keep there. Each start looks at the folder and at what lies directly in
    it; at all that is deeper only where something was open. What belongs to somebody else stays as
    it is, and `find_open` tells.
    """
    ours, strange = _entries(instance, folders)
    open_before = [one for one in (instance, *ours) if _is_open(one)]
    for path in [*ours, *_beside(database)]:
        _close(path)
    if not strange:  # or the folder is not ours alone: the system's, somebody's home
        _close(instance)
    if open_before:
        for path in _inside(ours):
            _close(path)


def find_open(instance: Path, folders: Iterable[str], database: str | None) -> list[Path]:
    """Return the files and folders of ours that others on this machine may read or change."""
    ours, _strange = _entries(instance, folders)
    every = [*ours, *_inside(ours), *_beside(database)]
    found = [path for path in every if _is_open(path)]
    return [instance, *found] if found and _is_open(instance) else found


def _entries(instance: Path, folders: Iterable[str]) -> tuple[list[Path], list[Path]]:
    """Return what lies directly in the instance folder: ours, and what somebody else put there."""
    names = (*KERNEL_ENTRIES, *folders)
    ours: list[Path] = []
    strange: list[Path] = []
    for path in sorted(instance.iterdir()) if instance.is_dir() else ():
        known = any(fnmatchcase(path.name, name) for name in names)
        (ours if known else strange).append(path)
    return ours, strange


def _inside(entries: Iterable[Path]) -> Iterator[Path]:
    """Yield all that lies in these folders, however deep; links are not followed."""
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            for folder, names, files in os.walk(entry):
                yield from (Path(folder) / name for name in (*names, *files))


def _beside(database: str | None) -> list[Path]:
    """Return a SQLite database's own files."""
    if not database or database == ":memory:":
        return []
    return [
        path for end in ("", "-wal", "-shm", "-journal") if (path := Path(database + end)).exists()
    ]


def _is_open(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return not stat.S_ISLNK(mode) and bool(mode & UMASK)


def _close(path: Path) -> None:
    if _is_open(path):
        with suppress(OSError):  # another's, or on a disk that is read only
            path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~UMASK)
