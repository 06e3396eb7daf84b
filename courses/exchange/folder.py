"""Courses on disk: a folder, or a zip file that a stranger made."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from lms.errors import Conflict, Invalid, TooLarge
from lms.writers import outside_writing

FILES_MAX = 500
FILE_MAX_BYTES = 10 * 1024 * 1024
TOTAL_MAX_BYTES = 60 * 1024 * 1024
RATIO_MAX = 200  # a text file packs 10 to 1; a bomb 1,000 to 1
SKIPPED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a course's folder by their path in it; hidden files are left out."""
    if not folder.is_dir():
        raise Invalid(
            "There is no folder %(folder)s. Give the folder that holds course.md.", folder=folder
        )
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise Invalid("%(name)s is a link. Put the file itself there.", name=name)
        if not path.is_file() or _skip(name):
            continue
        total = _count(name, path.stat().st_size, len(files), total)
        files[name] = path.read_bytes()
    return files


def read_zip(content: bytes) -> dict[str, bytes]:
    """Return the files of a course from a zip file, which nobody has to trust.

    Refused (Invalid, TooLarge): paths that lead out, links, encrypted entries, names that appear
    twice (also where only case differs), too many files, and files that unpack to more than they
    may. One folder around the course is taken away.
    """
    outside_writing("unpacking a zip file")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise Invalid("This is not a zip file. Pack the course's folder and try again.") from error
    files: dict[str, bytes] = {}
    seen: set[str] = set()
    total = 0
    with archive:
        for entry in archive.infolist():
            name = _safe_name(entry)
            if entry.is_dir() or _skip(name):
                continue
            if name.lower() in seen:
                raise Invalid(
                    "%(name)s is in the zip file twice. Pack the folder afresh.", name=name
                )
            seen.add(name.lower())
            total = _count(name, entry.file_size, len(files), total)
            if entry.file_size > RATIO_MAX * max(entry.compress_size, 1024):
                raise TooLarge(
                    "%(name)s unpacks to far more than it should. It was not opened.", name=name
                )
            files[name] = _unpack(archive, entry, name)
    return _without_wrapper(files)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    """Read one entry, never more of it than the directory says: the directory may lie."""
    try:
        with archive.open(entry) as packed:
            content = packed.read(entry.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise Invalid(
            "%(name)s in the zip file is damaged. Pack the folder afresh.", name=name
        ) from error
    if len(content) > entry.file_size:
        raise TooLarge("%(name)s unpacks to more than it says. It was not opened.", name=name)
    return content


def _safe_name(entry: zipfile.ZipInfo) -> str:
    name = entry.filename.replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in name or "\x00" in entry.orig_filename:
        raise Invalid("A file in the zip file has a path that leads out of it. It was not opened.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Invalid("%(name)s in the zip file is a link. Put the file itself there.", name=name)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Invalid("The zip file is packed in an unusual way. Pack it as an ordinary zip file.")
    if entry.flag_bits & 0x1:
        raise Invalid("The zip file has a password. Pack it without one.")
    return path.as_posix()


def _skip(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return (
        parts[-1] in SKIPPED
        or parts[0] == "__MACOSX"
        or any(part.startswith(".") for part in parts)
    )


def _count(name: str, size: int, files: int, total: int) -> int:
    if files >= FILES_MAX:
        raise TooLarge("A course has %(most)s files at most.", most=FILES_MAX)
    if size > FILE_MAX_BYTES:
        raise TooLarge(
            "%(name)s is larger than %(megabytes)s MB.",
            name=name,
            megabytes=FILE_MAX_BYTES // 1024**2,
        )
    if total + size > TOTAL_MAX_BYTES:
        raise TooLarge(
            "A course has %(megabytes)s MB at most.", megabytes=TOTAL_MAX_BYTES // 1024**2
        )
    return total + size


def _without_wrapper(files: dict[str, bytes]) -> dict[str, bytes]:
    tops = {name.split("/", 1)[0] for name in files}
    if len(tops) == 1 and "course.md" not in files and all("/" in name for name in files):
        top = tops.pop()
        return {name.removeprefix(f"{top}/"): content for name, content in files.items()}
    return files


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files of a course into a folder that is new or empty; raises Conflict otherwise."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(
            "%(folder)s is not empty. Name a new folder, so that nothing is lost.", folder=folder
        )
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def write_zip(files: dict[str, bytes]) -> bytes:
    """Return the files of a course as a zip file; the same course gives the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), files[name])
    return packed.getvalue()
