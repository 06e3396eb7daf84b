"""A writer who leaves short gaps does not keep others waiting for long (lms.db on SQLite)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from lms import writers
from lms.db import db, transaction
from tests import databases

pytestmark = pytest.mark.skipif(databases.KIND != "sqlite", reason="PostgreSQL has many writers")


def hold(
    app: Flask, stop: threading.Event, gap_seconds: float, held: list[None]
) -> Callable[[], None]:
    """Write transaction after transaction; `held` grows by one for each."""

    def run() -> None:
        with app.app_context():
            while not stop.is_set():
                held.append(None)
                with transaction():
                    db.session.execute(text("SELECT 1"))
                    time.sleep(0.03)
                time.sleep(gap_seconds)

    return run


def test_a_gap_of_five_milliseconds_is_found(app: Flask) -> None:
    """SQLite's own waiting, ten times a second, would let dozens of others go first each time."""
    stop, held = threading.Event(), list[None]()
    thread = threading.Thread(target=hold(app, stop, 0.005, held))
    thread.start()
    waited_for: list[int] = []
    try:
        for _ in range(10):
            time.sleep(0.01)
            before = len(held)
            with transaction():
                db.session.execute(text("SELECT 1"))
                waited_for.append(len(held) - before)
        assert sum(waited_for) < 40, waited_for
    finally:
        stop.set()
        thread.join()


def test_patience_ends_in_the_words_that_the_app_knows(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "BUSY_TIMEOUT_SECONDS", 0.1)
    taken, stop = threading.Event(), threading.Event()

    def keep() -> None:
        with app.app_context(), transaction():
            db.session.execute(text("SELECT 1"))
            taken.set()
            stop.wait(5)

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        assert taken.wait(5)
        with pytest.raises(OperationalError, match="locked"), transaction():
            db.session.execute(text("SELECT 1"))
    finally:
        stop.set()
        thread.join()
