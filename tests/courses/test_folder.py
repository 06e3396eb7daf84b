"""Zip files made by strangers, and folders."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from courses.exchange.folder import read_folder, read_zip, write_folder
from lms.errors import Conflict, Invalid, TooLarge


def packed(*entries: tuple[str | zipfile.ZipInfo, bytes], deflate: bool = True) -> bytes:
    """Return a zip file with these entries."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED if deflate else 0) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return made.getvalue()


def test_a_folder_around_the_course_is_taken_away() -> None:
    content = packed(("ask/course.md", b"a"), ("ask/media/x.png", b"b"), ("__MACOSX/._x", b"c"))
    assert read_zip(content) == {"course.md": b"a", "media/x.png": b"b"}
    assert read_zip(packed(("course.md", b"a"), (".git/config", b"x"))) == {"course.md": b"a"}


@pytest.mark.parametrize("name", ["../course.md", "/etc/course.md", "a/../../b", "..\\b", "C:\\b"])
def test_paths_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(Invalid, match="leads out"):
        read_zip(packed((name, b"x")))


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("course.md")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(Invalid, match="is a link"):
        read_zip(packed((link, b"/etc/passwd")))
    (tmp_path / "course.md").symlink_to("/etc/hostname")
    with pytest.raises(Invalid, match="is a link"):
        read_folder(tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["course.md", "COURSE.md", "./course.md"])
def test_a_name_may_appear_once_only(second: str) -> None:
    with pytest.raises(Invalid, match="twice"):
        read_zip(packed(("course.md", b"a"), (second, b"b")))


def test_bombs_are_not_opened() -> None:
    with pytest.raises(TooLarge, match="far more than it should"):
        read_zip(packed(("course.md", b"\0" * 9_000_000)))
    with pytest.raises(TooLarge, match="larger than 10 MB"):
        read_zip(packed(("course.md", b"\0" * 11_000_000)))
    with pytest.raises(TooLarge, match="500 files"):
        read_zip(packed(*((f"{n}.md", b"") for n in range(501))))


def test_a_directory_that_lies_about_sizes_is_found_out() -> None:
    content = bytearray(packed(("course.md", b"a" * 5000)))
    for header in (b"PK\x01\x02", b"PK\x03\x04"):
        at = content.index(header) + (24 if header == b"PK\x01\x02" else 22)
        content[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises((Invalid, TooLarge)):
        read_zip(bytes(content))


def test_damage_is_told_in_words() -> None:
    with pytest.raises(Invalid, match="not a zip file"):
        read_zip(b"PK nonsense")
    content = bytearray(packed(("course.md", bytes(range(256)) * 20)))
    content[60:80] = b"\xff" * 20
    with pytest.raises(Invalid, match="damaged"):
        read_zip(bytes(content))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("mine")
    with pytest.raises(Conflict, match="not empty"):
        write_folder(tmp_path, {"course.md": b"x"})
    write_folder(tmp_path / "new", {"media/x.png": b"x"})
    assert read_folder(tmp_path / "new") == {"media/x.png": b"x"}
    with pytest.raises(Invalid, match="There is no folder"):
        read_folder(tmp_path / "none")
