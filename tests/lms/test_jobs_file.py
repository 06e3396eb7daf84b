"""The file of wake-ups is disposable: however it is damaged, the product goes on and says so."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from lms.app import create_app
from lms.doctor import check_jobs
from lms.errors import Misconfigured
from lms.jobs.file import ASIDE, NAME, find_damaged, open_file
from lms.jobs.queue import Queue
from tests.conftest import settings_for


def used_file(folder: Path) -> Path:
    """A file with a hundred wake-ups in it."""
    place = folder / NAME
    open_file(folder).storage.close()
    with closing(sqlite3.connect(place)) as file, file:
        file.executemany(
            "INSERT INTO task (queue, data, priority) VALUES ('ropes', ?, 0)", [(b"x" * 900,)] * 100
        )
    with closing(sqlite3.connect(place)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return place


def no_database(place: Path) -> None:
    place.write_bytes(b"this is no database " * 500)


def truncated(place: Path) -> None:
    content = used_file(place.parent).read_bytes()
    place.write_bytes(content[: len(content) // 2 + 100])


def one_page_of_noise(place: Path) -> None:
    content = bytearray(used_file(place.parent).read_bytes())
    content[4096:20480] = os.urandom(16384)
    place.write_bytes(content)


def log_of_noise(place: Path) -> None:
    no_database(place)
    place.with_name(NAME + "-wal").write_bytes(os.urandom(9000))


DAMAGES = [no_database, truncated, one_page_of_noise, log_of_noise]


def works(queue: Queue) -> bool:
    queue.task = queue.huey.task(name="lms_run_job")(queue.run)
    queue.huey.enqueue(queue.task.s("some.job"))
    return queue.huey.dequeue() is not None


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_put_aside_and_said_in_one_line(
    tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    damage(tmp_path / NAME)
    kept = (tmp_path / NAME).read_bytes()
    with caplog.at_level(logging.INFO):
        assert works(Queue([], "sqlite", tmp_path))
    assert [one.levelname for one in caplog.records] == ["ERROR"]
    assert "Nothing is lost" in caplog.text
    assert find_damaged(tmp_path) == tmp_path / ASIDE
    assert (tmp_path / ASIDE).read_bytes() == kept
    caplog.clear()
    assert works(Queue([], "sqlite", tmp_path))
    assert caplog.records == []


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    assert works(Queue([], "sqlite", tmp_path))
    assert find_damaged(tmp_path) is None


def test_a_file_that_is_well_keeps_what_waits(tmp_path: Path) -> None:
    used_file(tmp_path)
    assert Queue([], "sqlite", tmp_path).huey.pending_count() == 100
    assert find_damaged(tmp_path) is None


def test_the_new_file_is_readable_by_those_who_could_read_the_old(tmp_path: Path) -> None:
    no_database(tmp_path / NAME)
    (tmp_path / NAME).chmod(0o600)
    if os.geteuid() == 0:
        os.chown(tmp_path / NAME, 1234, 1234)
    Queue([], "sqlite", tmp_path)
    old, new = (tmp_path / ASIDE).stat(), (tmp_path / NAME).stat()
    assert (old.st_mode, old.st_uid, old.st_gid) == (new.st_mode, new.st_uid, new.st_gid)


def test_a_folder_in_its_place_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(Misconfigured, match=r"jobs\.sqlite3 is a folder"):
        Queue([], "sqlite", tmp_path)


def test_a_file_of_somebody_else_is_a_sentence() -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are closed to others
        Path(folder).chmod(0o755)
        used_file(Path(folder)).chmod(0)
        said = as_nobody(lambda: Queue([], "sqlite", Path(folder)))
    assert "cannot be opened and written by this user" in said


def as_nobody(act: Callable[[], object]) -> str:
    """Do something in a process without rights; return the sentence with which it was refused."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()

    def be() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        try:
            act()
            theirs.send("it was opened")
        except Exception as error:
            theirs.send(str(error))

    child = context.Process(target=be)
    child.start()
    said = str(ours.recv()) if ours.poll(20) else "nothing came"
    child.join()
    return said


def test_processes_that_start_at_once_end_up_with_one_file(tmp_path: Path) -> None:
    no_database(tmp_path / NAME)
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=Queue, args=([], "sqlite", tmp_path)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(20)
    assert [child.exitcode for child in children] == [0] * 4
    assert (tmp_path / ASIDE).read_bytes().startswith(b"this is no database")


def test_the_doctor_says_it_until_it_is_deleted(tmp_path: Path, app: Flask) -> None:
    assert app.config["LMS_JOBS"] == "manual"
    (tmp_path / NAME).unlink(missing_ok=True)
    no_database(tmp_path / NAME)
    with create_app(settings_for(tmp_path, LMS_JOBS="sqlite")).app_context():
        said = check_jobs()
        assert said is not None
        assert ASIDE in said
        (tmp_path / ASIDE).unlink()
        assert check_jobs() is None
