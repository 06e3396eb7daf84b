"""The worker: runs jobs when they are woken, sweeps them when they are not, and shows it is alive."""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
import time

from flask import Flask
from huey.consumer import Consumer
from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from lms import clock
from lms.db import Model, UtcDateTime, db, transaction
from lms.jobs.queue import Queue

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5
# Huey's own `max_delay` of 10 s would let a learner wait that long for a certificate.
POLL_SECONDS = 0.2
STALE_SECONDS = 30
THREADS = 2


class Worker(Model):
    """A worker process and when it was last seen; one row each, removed when it stops in order."""

    __tablename__ = "lms_worker"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


def own_name() -> str:
    """Return the name under which this process shows its heartbeat."""
    return f"{socket.gethostname()}-{os.getpid()}"


def beat() -> None:
    """Show that this process is alive, and forget those that have long been silent."""
    with transaction() as session:
        session.merge(Worker(name=own_name(), seen_at=clock.now()))
        session.execute(delete(Worker).where(Worker.seen_at < clock.now() - dt.timedelta(days=1)))


def seconds_since_beat() -> float | None:
    """Return how long ago the liveliest worker was seen, or None if none ever was."""
    seen = db.session.scalar(select(Worker.seen_at).order_by(Worker.seen_at.desc()).limit(1))
    return None if seen is None else (clock.now() - seen).total_seconds()


def run_worker(app: Flask) -> None:
    """Run until SIGTERM or SIGINT; what is being worked on is finished first."""
    queue: Queue = app.extensions["lms.jobs"]
    stop = threading.Event()
    with app.app_context():
        beat()
    sweeper = threading.Thread(target=_sweep, args=(app, queue, stop), name="sweep", daemon=True)
    sweeper.start()
    consumer = Consumer(
        queue.huey,
        workers=THREADS,
        periodic=False,
        initial_delay=POLL_SECONDS / 4,
        backoff=1.2,
        max_delay=POLL_SECONDS,
        worker_type="thread",
    )
    try:
        consumer.run()
    finally:
        stop.set()
        sweeper.join(timeout=HEARTBEAT_SECONDS)
        with app.app_context(), transaction() as session:
            session.execute(delete(Worker).where(Worker.name == own_name()))


def _sweep(app: Flask, queue: Queue, stop: threading.Event) -> None:
    """Wake every job that nobody has woken for its `every_seconds`; beat in between."""
    due = dict.fromkeys(queue.jobs, 0.0)
    next_beat = 0.0
    while not stop.wait(POLL_SECONDS):
        moment = time.monotonic()
        for name, job in queue.jobs.items():
            if due[name] <= moment:
                due[name] = moment + job.every_seconds
                queue.wake(name)
        if next_beat <= moment:
            next_beat = moment + HEARTBEAT_SECONDS
            try:
                with app.app_context():
                    beat()
            except Exception:
                log.exception("the heartbeat could not be written; trying again")
