"""The disk is full: nothing is acknowledged that is not kept, and all goes on once there is room."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.faults.house import ask, house, in_child, note, record

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(
        databases.KIND != "sqlite", reason="PostgreSQL's files are not this test's to fill"
    ),
]
SIZE = "16m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    where = tmp_path / "disk"
    where.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(where)]
    if (
        not sys.platform.startswith("linux")
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("a small disk can only be mounted by root on Linux")
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


def fill(disk: Path) -> Path:
    """Leave no byte free."""
    ballast = disk / "ballast"
    size = 1 << 20
    with ballast.open("ab", buffering=0) as file:
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2
    return ballast


def test_the_senders_disk_is_full(
    small_disk: Path,
    tmp_path: Path,
    migrated: Callable[[Path], str],
    request: pytest.FixtureRequest,
) -> None:
    with house(tmp_path, migrated, here=small_disk) as home:
        home.mode("503")
        home.send()
        recorded = home.record(60)
        home.wait(lambda: len(home.tried("503")) >= 2)
        ballast = fill(small_disk)
        told = in_child(lambda: record(home.app, 2_000))  # more than any page that is free
        assert told != 0  # who records is told so
        order = "SELECT statement_id FROM xapi_outbox ORDER BY id"
        assert [one for (one,) in ask(home.ours, order)] == recorded
        home.rest()
        home.send()
        tried = len(home.tried("503"))
        ballast.unlink()
        home.mode("pass")
        recorded += home.record(10)
        home.drained()
        note(request, "disk full at the sender", tried, *home.judge(recorded))


def test_the_record_stores_disk_is_full(
    small_disk: Path,
    tmp_path: Path,
    migrated: Callable[[Path], str],
    request: pytest.FixtureRequest,
) -> None:
    with house(tmp_path, migrated, there=small_disk) as home:
        ballast = fill(small_disk)
        recorded = home.record(1500, chars=1500)
        home.send()
        home.wait(lambda: home.failures() >= 2, 30)
        held = ask(home.theirs, "SELECT count(*) FROM xapi_statement")[0][0]
        assert held < len(recorded)
        tried = home.failures()
        ballast.unlink()
        home.drained(60)
        note(request, "disk full at the record store", tried, *home.judge(recorded))
