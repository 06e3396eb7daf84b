"""Wake-ups: none is lost that matters, none is doubled, and one long job holds up nobody."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from lms.db import db, on_commit
from lms.errors import Misconfigured
from lms.jobs import queue as jobs
from lms.jobs.queue import PAUSE_SECONDS, PENDING_SECONDS, Job, Queue
from lms.jobs.worker import run_worker
from tests.mailboxes import silent_server


def make_queue(folder: Path, run: Callable[[], None], where: str = "sqlite") -> Queue:
    """A queue with one job, its Huey on a real file."""
    queue = Queue([Job("some.job", run)], where, folder)
    queue.task = queue.huey.task(name="lms_run_job")(queue.run)
    return queue


def work_off(queue: Queue) -> int:
    """Do what a worker's thread does until nothing waits; return how many wake-ups there were."""
    done = 0
    while (task := queue.huey.dequeue()) is not None:
        queue.huey.execute(task)
        done += 1
    return done


def test_a_wake_up_runs_the_job(tmp_path: Path) -> None:
    ran: list[int] = []
    queue = make_queue(tmp_path, lambda: ran.append(1))
    queue.wake("some.job")
    assert work_off(queue) == 1
    assert ran == [1]


def test_wake_ups_that_wait_are_not_doubled(tmp_path: Path) -> None:
    queue = make_queue(tmp_path, lambda: None)
    for _ in range(5):
        queue.wake("some.job")
    assert work_off(queue) == 1
    queue.wake("some.job")
    assert work_off(queue) == 1


def test_another_process_sees_the_wake_up_and_the_mark(tmp_path: Path) -> None:
    ran: list[str] = []
    web = make_queue(tmp_path, lambda: ran.append("web"))
    worker = make_queue(tmp_path, lambda: ran.append("worker"))
    web.wake("some.job")
    worker.wake("some.job")
    assert work_off(worker) == 1
    assert ran == ["worker"]


def test_a_mark_whose_process_was_killed_silences_nobody_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = make_queue(tmp_path, lambda: None)
    queue.huey.put("pending:some.job", time.time())  # ... and killed before it enqueued
    queue.wake("some.job")
    assert work_off(queue) == 0
    later = time.time() + PENDING_SECONDS + 1
    monkeypatch.setattr("lms.jobs.queue.time.time", lambda: later)
    queue.wake("some.job")
    assert work_off(queue) == 1


def test_what_is_written_while_the_job_runs_wakes_it_again(tmp_path: Path) -> None:
    rows, seen = ["first"], []
    queue: Queue

    def run() -> None:
        seen.append(list(rows))
        if len(rows) == 1:
            rows.append("second")
            queue.wake("some.job")

    queue = make_queue(tmp_path, run)
    queue.wake("some.job")
    work_off(queue)
    assert seen == [["first"], ["first", "second"]]


def test_a_job_that_is_woken_while_it_runs_holds_one_thread_and_looks_again(
    tmp_path: Path,
) -> None:
    started, go_on = threading.Event(), threading.Event()
    runs: list[str] = []

    def run() -> None:
        runs.append(threading.current_thread().name)
        started.set()
        assert go_on.wait(10)

    queue = make_queue(tmp_path, run)
    first = threading.Thread(target=queue.run, args=("some.job",), name="first")
    first.start()
    assert started.wait(10)
    queue.run("some.job")  # comes back at once, from this thread
    queue.run("some.job")
    assert runs == ["first"]
    go_on.set()
    first.join(10)
    assert runs == ["first", "first"]  # once more for both


def test_a_job_that_fails_can_be_run_again(tmp_path: Path) -> None:
    answers = [RuntimeError("the disk is full"), None]

    def run() -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    queue = make_queue(tmp_path, run)
    with pytest.raises(RuntimeError, match="full"):
        queue.run("some.job")
    queue.run("some.job")
    assert answers == []


def test_a_wake_up_during_a_run_that_fails_is_kept(tmp_path: Path) -> None:
    runs: list[int] = []
    queue: Queue

    def run() -> None:
        runs.append(len(runs))
        if len(runs) == 1:
            queue.run("some.job")  # another thread's wake-up comes in meanwhile
            raise RuntimeError("no")

    queue = make_queue(tmp_path, run)
    with pytest.raises(RuntimeError):
        queue.run("some.job")
    assert work_off(queue) == 1
    assert runs == [0, 1]


def test_jobs_wait_for_the_commit(app: Flask) -> None:
    queue: Queue = app.extensions["lms.jobs"]
    queue.jobs["some.job"] = Job("some.job", lambda: None)
    jobs.wake("some.job")
    assert not queue.woken
    db.session.rollback()
    jobs.wake("some.job")
    db.session.commit()
    assert list(queue.woken) == ["some.job"]


def test_an_unknown_job_is_refused_at_once(app: Flask) -> None:
    with pytest.raises(KeyError, match=r"nobody\.knows"):
        jobs.wake("nobody.knows")


def test_a_queue_that_is_away_fails_no_request(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    queue: Queue = app.extensions["lms.jobs"]
    queue.jobs["some.job"] = Job("some.job", lambda: None)

    def away(_name: str) -> None:
        raise OSError("the queue's disk is full")

    monkeypatch.setattr(queue, "wake", away)
    after: list[str] = []
    jobs.wake("some.job")
    on_commit(lambda: after.append("still called"))
    db.session.commit()
    assert after == ["still called"]


def test_jobs_of_the_same_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"some\.job"):
        Queue([Job("some.job", print), Job("some.job", print)], "manual", tmp_path)


def test_where_wake_ups_wait_is_checked(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="LMS_JOBS"):
        Queue([], "a cupboard", tmp_path)


def test_redis_without_its_client_is_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(Misconfigured, match="pip install redis"):
        Queue([], "redis://127.0.0.1:1/0", tmp_path)


@pytest.fixture
def hung_redis() -> Iterator[tuple[str, list[socket.socket]]]:
    """The address of a server that takes connections and says nothing; those that it took."""
    with silent_server() as (port, taken):
        yield f"redis://127.0.0.1:{port}/0", taken


@pytest.mark.network
def test_a_redis_that_hangs_is_asked_once_and_then_left_alone(
    tmp_path: Path, hung_redis: tuple[str, list[socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    where, taken = hung_redis
    queue = make_queue(tmp_path, lambda: None, where)
    assert [queue.wake("some.job") for _ in range(50)] == [False] * 50
    assert len(taken) == 1
    later = time.monotonic() + PAUSE_SECONDS
    monkeypatch.setattr("lms.jobs.queue.time.monotonic", lambda: later)
    assert not queue.wake("some.job")
    assert len(taken) == 2


@pytest.mark.network
def test_a_worker_whose_redis_hangs_does_the_work_all_the_same(
    make_app: Callable[..., Flask], hung_redis: tuple[str, list[socket.socket]]
) -> None:
    app = make_app(LMS_JOBS=hung_redis[0], LMS_PLUGINS=("none",))
    ran, stop = threading.Event(), threading.Event()
    app.extensions["lms.jobs"].jobs = {"some.job": Job("some.job", ran.set)}
    worker = threading.Thread(target=run_worker, args=(app, stop))
    worker.start()
    try:
        assert ran.wait(20)
    finally:
        stop.set()
        worker.join(30)


def test_jobs_that_wake_each_other_for_ever_are_found(make_app: Callable[..., Any]) -> None:
    app = make_app()
    with app.app_context():
        queue: Queue = app.extensions["lms.jobs"]
        queue.jobs["some.job"] = Job("some.job", lambda: queue.wake("some.job"))
        queue.wake("some.job")
        with pytest.raises(RuntimeError, match="keep waking"):
            jobs.run_pending(limit=20)
