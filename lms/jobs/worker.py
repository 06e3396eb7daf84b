"""The worker: runs jobs when they are woken, sweeps them when they are not, and shows it is alive."""

from __future__ import annotations

import datetime as dt
import logging
import os
import signal
import socket
import threading
import time

from flask import Flask
from huey.consumer import Consumer
from sqlalchemy import String, delete, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from lms import clock
from lms.db import Model, UtcDateTime, db, transaction
from lms.jobs.queue import Queue

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5
# Huey's own `max_delay` of 10 s would let a learner wait that long for a certificate.
POLL_SECONDS = 0.2
STALE_SECONDS = 30
STOP_SECONDS = 25
# A job never holds two threads: this many different ones run side by side.
THREADS = 4


class Worker(Model):
    """A worker process and when it was last seen; one row each, removed when it stops in order."""

    __tablename__ = "lms_worker"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class _Consumer(Consumer):  # type: ignore[misc]
    """Huey's consumer, with signals left to `run_worker`."""

    def _set_signal_handlers(self) -> None:
        """Install none: a worker may also be a thread of a test or of the demo."""


def own_name() -> str:
    """Return the name under which this process shows its heartbeat."""
    return f"{socket.gethostname()}-{os.getpid()}"


def beat() -> None:
    """Show that this process is alive, and forget those that have long been silent.

    One that was seen in the future, too: the clock has been set back since. It shows itself anew
    if it lives.
    """
    moment = clock.now()
    long_ago, ahead = moment - dt.timedelta(days=1), moment + dt.timedelta(seconds=STALE_SECONDS)
    with transaction() as session:
        session.merge(Worker(name=own_name(), seen_at=moment))
        session.execute(
            delete(Worker).where(or_(Worker.seen_at < long_ago, Worker.seen_at > ahead))
        )


def seconds_since_beat() -> float | None:
    """Return how long ago the liveliest worker was seen, or None if none ever was.

    One that was seen further in the future than machines' clocks differ says nothing: the clock
    has been set back since.
    """
    moment = clock.now()
    seen = db.session.scalar(
        select(Worker.seen_at)
        .where(Worker.seen_at <= moment + dt.timedelta(seconds=STALE_SECONDS))
        .order_by(Worker.seen_at.desc())
        .limit(1)
    )
    return None if seen is None else max(0.0, (moment - seen).total_seconds())


def stop_on_signal() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set; call it in the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def run_worker(app: Flask, stop: threading.Event) -> None:
    """Run until `stop` is set; what is being worked on then is finished first.

    A job that is not done STOP_SECONDS later is left to the process's end: it is made to be killed
    at any point, and the next worker's sweep finds its rows.
    """
    queue: Queue = app.extensions["lms.jobs"]
    with app.app_context():
        beat()
    sweeper = threading.Thread(target=_sweep, args=(app, queue, stop), name="sweep", daemon=True)
    sweeper.start()
    consumer = _Consumer(
        queue.huey,
        workers=THREADS,
        periodic=False,
        initial_delay=POLL_SECONDS / 4,
        backoff=1.2,
        max_delay=POLL_SECONDS,
        worker_type="thread",
        shutdown_timeout=STOP_SECONDS,
    )
    consumer.start()
    try:
        while not stop.wait(HEARTBEAT_SECONDS):
            consumer.check_worker_health()
    finally:
        stop.set()
        consumer.stop(graceful=True)
        sweeper.join(timeout=HEARTBEAT_SECONDS)
        with app.app_context(), transaction() as session:
            session.execute(delete(Worker).where(Worker.name == own_name()))


def _sweep(app: Flask, queue: Queue, stop: threading.Event) -> None:
    """Wake every job that nobody has woken for its `every_seconds`; beat in between.

    Whatever goes wrong here (a full disk, a database that is away) is tried again: a worker whose
    sweep has died would look alive and lose work.
    """
    due = dict.fromkeys(queue.jobs, 0.0)
    next_beat = 0.0
    while not stop.wait(POLL_SECONDS):
        moment = time.monotonic()
        try:
            for name, job in queue.jobs.items():
                if due[name] <= moment:
                    queue.wake(name)
                    due[name] = moment + job.every_seconds
            if next_beat <= moment:
                with app.app_context():
                    beat()
                next_beat = moment + HEARTBEAT_SECONDS
        except Exception:
            log.exception("the worker's sweep or heartbeat failed; trying again")
            stop.wait(1)
