"""Killed at every step of a delivery, and of recording: nothing is lost, nothing is doubled.

The process is killed with SIGKILL at a named step, by itself, so that it happens exactly there; a
fresh one goes on. The same where the connection to the database is gone just after a COMMIT.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from lms.db import db
from tests.faults.house import House, ask, house, in_child, note, record
from xapi.delivery import backfill, embedded, queue, run
from xapi.delivery.transport import PooledLRS

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, migrated: Callable[[Path], str]
) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("steps"), migrated) as made:
        yield made


def die(*_args: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str) -> Callable[[], None]:
    def arm() -> None:
        setattr(owner, name, die)

    return arm


def after(owner: Any, name: str, times: int = 1) -> Callable[[], None]:
    def arm() -> None:
        real, calls = getattr(owner, name), 0

        def call(*args: Any, **more: Any) -> Any:
            nonlocal calls
            found = real(*args, **more)
            calls += 1
            if calls >= times:
                die()
            return found

        setattr(owner, name, call)

    return arm


def at_sql(kind: str, word: str) -> Callable[[], None]:
    """Die before (or after) a statement that holds a word; `COMMIT` is not one of them."""

    def arm() -> None:
        def look(_connection: Any, _cursor: Any, statement: str, *_args: Any) -> None:
            if word in statement:
                die()

        event.listen(db.engine, kind, look)

    return arm


def at_commit() -> None:
    """Die before the COMMIT of the transaction that notes a delivery."""
    real = queue._remove

    def remove(*args: Any) -> None:
        real(*args)
        event.listen(db.engine, "commit", die)

    queue._remove = remove


BUILT_IN = "while the built-in store is written"
STEPS: dict[str, Callable[[], None]] = {
    "before it takes": before(queue, "take"),
    "after it took": after(queue, "take"),
    "before it sends": before(PooledLRS, "_send_request"),
    "in mid-request": before(PooledLRS, "_exchange"),
    "after it sent, before it notes": after(PooledLRS, "_send_request"),
    "while it notes: rows taken away": at_sql("after_cursor_execute", "DELETE FROM xapi_pending"),
    "while it notes: before the figures": at_sql("before_cursor_execute", "UPDATE xapi_target"),
    "before the COMMIT of the note": at_commit,
    "after it noted": after(queue, "delivered"),
    BUILT_IN: after(embedded, "store"),
}


def deliver(home: House, arm: Callable[[], None], built_in: bool = False) -> Callable[[], None]:
    """Deliver once to the built-in store and over the network, armed for one of them."""

    def act() -> None:
        with home.app.app_context():
            if built_in:
                arm()
            run.deliver()
            arm()
            run.send()

    return act


# The quick tier has a step of each kind: before, amid and after each of the three acts.
OTHERS = {"after it took", "before it sends", "while it notes: before the figures"}


@pytest.mark.parametrize(
    "step", [pytest.param(one, marks=[pytest.mark.long] if one in OTHERS else []) for one in STEPS]
)
def test_the_worker_is_killed(home: House, step: str, request: pytest.FixtureRequest) -> None:
    recorded = home.record(30)
    died = in_child(deliver(home, STEPS[step], step == BUILT_IN))
    assert died == -signal.SIGKILL, step
    home.drained()
    home.rest()
    note(request, f"worker killed {step}", 1, *home.judge(recorded))


def test_the_worker_is_killed_while_a_batch_is_taken_apart(
    home: House, request: pytest.FixtureRequest
) -> None:
    home.mode("413")
    recorded = home.record(120)
    for times in (3, 5, 8):
        died = in_child(deliver(home, after(PooledLRS, "_send_request", times)))
        assert died == -signal.SIGKILL
    home.mode("pass")
    home.drained()
    home.rest()
    note(request, "worker killed while a batch is taken apart", 3, *home.judge(recorded))


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("_queue", marks=pytest.mark.long),
        "feed",
        pytest.param("pull", marks=pytest.mark.long),
    ],
)
def test_the_worker_is_killed_while_the_past_is_queued(
    home: House, step: str, request: pytest.FixtureRequest
) -> None:
    recorded = home.record(60)
    home.drained()
    home.rest()

    def start() -> None:
        with home.app.app_context():
            db.session.rollback()
            backfill.start("remote", None)
            db.session.commit()

    assert in_child(start) == 0
    recorded += home.record(8)  # of the same learners: their past goes first
    small = lambda: setattr(backfill, "FED_ROWS", 9) or after(backfill, step, 2)()  # type: ignore[func-returns-value]  # noqa: E731
    assert in_child(deliver(home, small)) == -signal.SIGKILL
    home.drained()
    home.wait(
        lambda: (
            ask(home.ours, "SELECT count(*) FROM xapi_backfill WHERE ended_at IS NULL") == [(0,)]
        )
    )
    home.drained()
    home.rest()
    assert ask(home.ours, "SELECT total = queued FROM xapi_backfill")[0][0]
    note(request, f"worker killed while the past is queued ({step})", 1, *home.judge(recorded))


def dropped_after_commit(home: House, act: Callable[[], Any], times: int) -> Callable[[], None]:
    """Run `act` with the connection lost after each of the first COMMITs: they have happened."""

    def go() -> None:
        with home.app.app_context():
            dialect: Any = db.engine.dialect
            real, left = dialect.do_commit, times

            def commit(connection: Any) -> None:
                nonlocal left
                real(connection)
                if left:
                    left -= 1
                    raise dialect.dbapi.OperationalError("server closed the connection")

            dialect.do_commit = commit
            for _ in range(times + 2):
                try:
                    act()
                except OperationalError:
                    db.session.rollback()

    return go


def test_the_connection_is_gone_after_the_commit_of_a_note(
    home: House, request: pytest.FixtureRequest
) -> None:
    recorded = home.record(150)

    def act() -> None:
        run.deliver()
        run.send()

    assert in_child(dropped_after_commit(home, act, 5)) == 0
    home.drained()
    home.rest()
    note(request, "connection dropped after COMMIT, delivering", 5, *home.judge(recorded))


def test_the_connection_is_gone_after_the_commit_of_recording(
    home: House, request: pytest.FixtureRequest
) -> None:
    """Who recorded is told that it failed, and it did not: that arrives once, like the others."""
    order = "SELECT statement_id FROM xapi_outbox ORDER BY id"
    before = len(ask(home.ours, order))
    assert in_child(dropped_after_commit(home, lambda: record(home.app, 10), 1)) == 0
    recorded = [one for (one,) in ask(home.ours, order)[before:]]
    assert len(recorded) == 30  # three times asked, the first time told that it failed
    home.drained()
    home.rest()
    note(request, "connection dropped after COMMIT, recording", 1, *home.judge(recorded))
