"""A hundred thousand statements that wait are delivered, and the worker needs no more memory for it.

ROPES_DRAIN sets how many. What the worker's process holds is read from the system, not from Python.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lms.db import transaction
from tests.faults.house import House, ask, house, in_child
from xapi.delivery import backfill

pytestmark = [pytest.mark.long, pytest.mark.network, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("ROPES_DRAIN") or 100_000)
CHUNK = 1000
WARM = 10_000  # by then the caches have what they will have
GROWTH_MOST_MB = 16.0


def memory(process: int) -> tuple[float, float]:
    """Return what a process holds now, and the most that it ever held: MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    found = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return (
        int(found["VmRSS"].split()[0]) / 1024,
        int(found["VmHWM"].split()[0]) / 1024,
    )


def forget_the_most(process: int) -> None:
    """Count the most that a process holds from here on (proc(5), clear_refs)."""
    Path(f"/proc/{process}/clear_refs").write_text("5")


def drain(at: House, what: str, left: Callable[[], int]) -> None:
    """Let the worker go on until nothing is left; fail where its memory grows with what waits."""
    worker = at.players.running["sender"]
    forget_the_most(worker)
    warm, _ = memory(worker)
    start = time.monotonic()
    os.kill(worker, signal.SIGCONT)
    at.wait(lambda: left() == 0, seconds=600)
    seconds = time.monotonic() - start
    _, most = memory(worker)
    sys.stdout.write(
        f"\n{what}: {COUNT:,} in {seconds:.0f} s, {COUNT / seconds:,.0f} a second; "
        f"{warm:.0f} MB before, {most:.0f} MB at most\n"
    )
    assert most - warm < GROWTH_MOST_MB


def hold(at: House) -> None:
    """Have the worker do nothing, and live."""
    os.kill(at.players.running["sender"], signal.SIGSTOP)


def test_a_hundred_thousand_wait(tmp_path: Path, migrated: Callable[[Path], str]) -> None:
    with house(tmp_path, migrated, LMS_LRS_TIMEOUT_SECONDS=20) as at:
        for _ in range(WARM // CHUNK):
            at.record(CHUNK)
        at.drained(seconds=60)
        hold(at)
        for _ in range(COUNT // CHUNK):
            at.record(CHUNK)
        waits = "SELECT count(*) FROM xapi_pending"
        assert ask(at.ours, waits) == [(2 * COUNT,)]
        drain(at, "delivered to two record stores", lambda: ask(at.ours, waits)[0][0])
        held = "SELECT count(*), count(DISTINCT statement_id) FROM xapi_statement"
        every = COUNT + WARM
        assert ask(at.theirs, held) == ask(at.ours, held) == [(every, every)]

        at.add_proxy("late", "pass")
        hold(at)

        def ask_for_the_past() -> None:
            with at.app.app_context(), transaction():
                backfill.start("late", None)

        assert in_child(ask_for_the_past) == 0
        queued = "SELECT total - queued FROM xapi_backfill"
        drain(
            at,
            "everything since, to a third",
            lambda: ask(at.ours, queued)[0][0] + ask(at.ours, waits)[0][0],
        )
        assert ask(at.theirs, held) == [(every, every)]
