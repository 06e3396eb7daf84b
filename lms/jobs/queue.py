"""Jobs: wake-ups over durable rows.

A job takes no arguments. What there is to do stands in the database, written in the transaction
that made it necessary; `wake(name)` only says "look now", after the commit. Every job is also run
by a sweep each `every_seconds`: a lost wake-up costs seconds, never work. A job finds its rows,
works in short transactions (`lms.db.transaction`, a hundred rows at most), and may be killed at
any point.

Huey carries the wake-ups (a SQLite file, or Redis); this module is its one typed wrapper.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from huey import MemoryHuey, RedisHuey
from huey.exceptions import ConfigurationError

from lms import db
from lms.errors import Misconfigured
from lms.jobs.file import open_file

log = logging.getLogger(__name__)

# A process killed between its mark and its wake-up must not silence the job for good.
PENDING_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of background work: `run()` finds its own rows, and may be run at any time, twice.

    name: `<plugin>.<what>`. every_seconds: how often the sweep runs it without being asked.
    """

    name: str
    run: Callable[[], None]
    every_seconds: float = 60.0


class Queue:
    """The jobs of one app, and the place where their wake-ups wait."""

    def __init__(self, jobs: Iterable[Job], where: str, instance: Path) -> None:
        self.jobs: dict[str, Job] = {}
        for job in jobs:
            if job.name in self.jobs:
                raise Misconfigured(f"Two plugins bring a job named {job.name}.")
            self.jobs[job.name] = job
        self.manual = where == "manual"
        self.woken: dict[str, None] = {}
        self.huey: Any = _open_huey(where, instance)
        self.task: Any = None  # the Huey task that runs a job by name; set by init_app
        self._guard = threading.Lock()
        self._running: set[str] = set()
        self._again: set[str] = set()

    def wake(self, name: str) -> None:
        """Ask for the job to be run soon; a wake-up that already waits is not doubled."""
        if name not in self.jobs:
            raise KeyError(f"no job is named {name}")
        if self.manual:
            self.woken[name] = None
            return
        mark, moment = f"pending:{name}", time.time()
        if not self.huey.put_if_empty(mark, moment):
            since = self.huey.get(mark, peek=True)
            if since is not None and 0 <= moment - since < PENDING_SECONDS:
                return
            self.huey.put(mark, moment)
        self.huey.enqueue(self.task.s(name))

    def run(self, name: str) -> None:
        """Run the job now, in this thread; where it runs already, have that run look once more.

        The "already waiting" mark goes first: what is written from here on wakes the job again.
        Nobody waits for a running job, so that one long job never holds up all threads.
        """
        if not self.manual:
            self.huey.delete(f"pending:{name}")
        with self._guard:
            if name in self._running:
                self._again.add(name)
                return
            self._running.add(name)
        while self._run_once(name):
            pass

    def _run_once(self, name: str) -> bool:
        """Run the job; return whether it was woken meanwhile, and is still ours to run."""
        try:
            self.jobs[name].run()
        except BaseException:
            with self._guard:
                self._running.discard(name)
                again = name in self._again
                self._again.discard(name)
            if again:
                self.wake(name)
            raise
        with self._guard:
            again = name in self._again
            self._again.discard(name)
            if not again:
                self._running.discard(name)
        return again


def _open_huey(where: str, instance: Path) -> Any:
    if where.startswith("redis://"):
        try:
            return RedisHuey("ropes", url=where, results=False)
        except ConfigurationError as error:
            raise Misconfigured(
                "LMS_JOBS names a Redis server, and the package to speak with it is not installed: "
                "pip install redis."
            ) from error
    if where not in ("manual", "sqlite"):
        raise Misconfigured("LMS_JOBS must be sqlite or redis://host:port/number.")
    if where == "manual":
        return MemoryHuey("ropes", results=False)
    return open_file(instance)


def init_app(app: Flask, jobs: Iterable[Job]) -> None:
    """Give the app its queue, with the jobs of the enabled plugins."""
    queue = Queue(jobs, app.config["LMS_JOBS"], Path(app.config["LMS_INSTANCE"]))

    def run_task(name: str) -> None:
        with app.app_context():
            queue.run(name)

    queue.task = queue.huey.task(name="lms_run_job")(run_task)
    app.extensions["lms.jobs"] = queue


def queue() -> Queue:
    """Return the present app's queue."""
    found: Queue = current_app.extensions["lms.jobs"]
    return found


def wake(name: str) -> None:
    """Run the job `name` soon, once the present transaction is committed."""
    waiting = queue()
    if name not in waiting.jobs:
        raise KeyError(f"no job is named {name}")
    db.on_commit(lambda: waiting.wake(name))


def run_pending(limit: int = 1000) -> list[str]:
    """In manual mode, run what was woken until nothing is left; return the names in order."""
    waiting = queue()
    done: list[str] = []
    while waiting.woken:
        if len(done) >= limit:
            raise RuntimeError(f"jobs keep waking each other: {done[-6:]}")
        name = next(iter(waiting.woken))
        del waiting.woken[name]
        waiting.run(name)
        done.append(name)
    return done
