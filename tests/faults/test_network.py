"""Every fault of the network, over real sockets: the record store holds exactly what was recorded.

The sender meets the fault at least once, in the middle of a batch of several learners; then the
network is mended. Lost, doubled, out of order: none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.faults import cast
from tests.faults.house import House, ask, house, note

pytestmark = pytest.mark.network

FAULTS = {
    "nobody listens": "gone",
    "connection reset at once": "refuse",
    "hangs": "hang",
    "drips a byte at a time": "drip",
    "cut in mid-request": "cut",
    "reset after the body was sent": "reset",
    "answer ends in its middle": "short",
    "closed without an answer": "deaf",
    "500": "500",
    "502": "502",
    "503": "503",
    "504": "504",
    "429": "429",
    "413 above a size": "413",
    "wrong credentials, 401": "401",
    "wrong credentials, 403": "403",
    "400 of a proxy": "400",
    "redirect": "302",
    "200, a sign-in page": "portal",
    "200, empty": "empty",
    "200, an empty list": "list",
    "200, another's id": "other",
}
# The quick tier has one of each kind; these are others of a kind.
OTHERS = {"cut", "deaf", "502", "504", "401", "400", "empty", "list"}


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, migrated: Callable[[Path], str]
) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("faults"), migrated) as made:
        made.send()
        yield made


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, marks=[pytest.mark.long] if mode in OTHERS else [])
        for fault, mode in FAULTS.items()
    ],
)
def test_fault(home: House, fault: str, request: pytest.FixtureRequest) -> None:
    mode = FAULTS[fault]
    before = len(home.tried(mode))
    home.mode(mode)
    recorded = home.record(120)
    times = 2 if mode in ("hang", "drip") else 3

    def tried() -> int:
        return home.failures() if mode == "gone" else len(home.tried(mode)) - before

    home.wait(lambda: tried() >= (1 if mode == "413" else times))
    recorded += home.record(7)
    count = tried()
    home.mode("pass")
    home.drained()
    note(request, fault, count, *home.judge(recorded))


@pytest.mark.parametrize(
    ("fault", "mode", "seconds"),
    [
        pytest.param("429, Retry-After in seconds", "429:1", 1.0, marks=pytest.mark.long),
        ("503, Retry-After in seconds", "503:1", 1.0),
        ("503, Retry-After as a date", "503@2.5", 1.5),  # a date has whole seconds
    ],
)
def test_retry_after(
    home: House, fault: str, mode: str, seconds: float, request: pytest.FixtureRequest
) -> None:
    home.mode(mode)
    recorded = home.record(20)
    home.wait(lambda: home.tried(mode))
    asked_at = home.tried(mode)[0]
    home.mode("pass")
    passed = len(home.tried("pass"))
    home.drained()
    next_at = home.tried("pass")[passed]
    assert len(home.tried(mode)) == 1  # not one try before it
    assert next_at - asked_at >= seconds
    assert next_at - asked_at < seconds + 3
    note(request, fault, 1, *home.judge(recorded))


def test_one_that_hangs_and_one_that_is_broken_hold_up_no_other(
    tmp_path: Path, migrated: Callable[[Path], str], request: pytest.FixtureRequest
) -> None:
    """Three targets and a real worker: the one that is well gets everything within 1.5 seconds."""
    with house(tmp_path, migrated, LMS_JOBS="sqlite", LMS_LRS_TIMEOUT_SECONDS=3.0) as home:
        hung, broken = home.add_proxy("hung", "hang"), home.add_proxy("broken", "500")
        home.players.start("worker", lambda: cast.worker(home.app))
        recorded: list[str] = []
        worst = 0.0
        for _ in range(8):
            recorded += home.record(4)
            started = time.monotonic()
            home.wait(partial(home.holds, recorded[-1]), 10)
            worst = max(worst, time.monotonic() - started)
            time.sleep(0.4)
        assert len(hung.read_text().splitlines()) >= 2
        assert len(broken.read_text().splitlines()) >= 2
        waiting = "SELECT target, count(*) FROM xapi_pending GROUP BY target ORDER BY target"
        assert ask(home.ours, waiting) == [("broken", 32), ("hung", 32)]
        assert worst < 1.5
        note(
            request,
            f"beside one that hangs and one that is broken: {worst:.1f} s at most",
            8,
            *home.judge(recorded),
        )
