"""Killed at random points, over a network that misbehaves: the record store holds exactly what was
recorded.

The worker and the web process are killed with SIGKILL while statements are recorded and delivered
to a real record store over HTTP, in another process, through a proxy that is down, hangs, drips,
resets, cuts, and answers 5xx, 429, 413 and 401. The seed is printed; ROPES_FAULT_SEED repeats a
run, ROPES_FAULT_KILLS sets how many.
"""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lms.app import create_app
from tests.conftest import settings_for
from tests.faults import cast
from tests.faults.proxy import MODES
from xapi.delivery import run as delivery_run

PEOPLE = 8
KEY, SECRET = "faults", "only-between-two-processes-of-a-test"
DRAINED_WITHIN_SECONDS = 90


def ask(address: str, query: str) -> list[Any]:
    """Ask a database past the app, so that the parent stays clean."""
    if address.startswith("sqlite"):
        connection = sqlite3.connect(address.removeprefix("sqlite:///"), timeout=30)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
    with psycopg.connect(address.replace("+psycopg", "")) as server:
        return server.execute(query).fetchall()  # type: ignore[call-overload]


def run(
    tmp_path: Path, migrated: Callable[[Path], str], kills: int, pause: tuple[float, float]
) -> None:
    seed = int(os.environ.get("ROPES_FAULT_SEED") or random.SystemRandom().randrange(2**32))
    kills = int(os.environ.get("ROPES_FAULT_KILLS") or kills)
    sys.stdout.write(f"\nseed {seed}, {kills} kills\n")
    chance = random.Random(seed)
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    ours, theirs = migrated(here), migrated(there)
    lrs_socket, proxy_socket = cast.listen(), cast.listen()
    lrs_app = create_app(settings_for(there, theirs, LMS_PLUGINS=("xapi",)))
    app = create_app(
        settings_for(
            here,
            ours,
            LMS_PLUGINS=("xapi",),
            LMS_JOBS="sqlite",
            LMS_LRS_ENDPOINT=f"http://127.0.0.1:{proxy_socket.getsockname()[1]}/xapi/",
            LMS_LRS_KEY=KEY,
            LMS_LRS_SECRET=SECRET,
            LMS_LRS_TIMEOUT_SECONDS=0.5,
            LMS_LRS_RETRY_SECONDS=0.02,
            LMS_LRS_RETRY_MOST_SECONDS=0.2,
        )
    )
    cast.add_view(app)
    for act in (
        lambda: cast.give_credential(lrs_app, KEY, hashlib.sha256(SECRET.encode()).hexdigest()),
        lambda: cast.give_people(app, PEOPLE),
    ):
        assert os.waitpid(cast.fork(act), 0)[1] == 0
    said_out, said_in = os.pipe()
    mode_out, mode_in = os.pipe()
    players = cast.Cast()
    people = list(range(1, PEOPLE + 1))

    def start(name: str, number: int) -> None:
        act = (
            (lambda: cast.worker(app))
            if name == "worker"
            else (lambda: cast.web(app, people, said_in, number))
        )
        players.start(name, act)

    started = time.monotonic()
    acknowledged: list[str] = []
    done = {"worker": 0, "web": 0}
    os.set_blocking(said_out, False)
    rest = b""
    try:
        players.start("lrs", lambda: cast.lrs(lrs_app, lrs_socket))
        players.start(
            "proxy",
            lambda: cast.misbehave(
                proxy_socket, lrs_socket.getsockname()[1], mode_out, chance.randrange(2**32)
            ),
        )
        start("worker", 0)
        start("web", 0)
        for number in range(kills):
            if number % 2 == 0:
                mode = chance.choice([*MODES, "pass", "mixed", "mixed"])
                os.write(mode_in, f"{mode}\n".encode())
            time.sleep(chance.uniform(*pause))
            rest = _read(said_out, rest, acknowledged)
            name = chance.choice(("worker", "web"))
            players.kill(name)
            done[name] += 1
            start(name, done["web"])
            assert players.died() == []
        players.kill("web")
        rest = _read(said_out, rest, acknowledged)
        os.write(mode_in, b"pass\n")
        until = time.monotonic() + DRAINED_WITHIN_SECONDS
        while ask(ours, "SELECT count(*) FROM xapi_pending") != [(0,)]:
            assert time.monotonic() < until, ask(ours, "SELECT * FROM xapi_target")
            assert players.died() == []
            time.sleep(0.1)
    finally:
        players.end()
        for end in (said_out, said_in, mode_out, mode_in):
            os.close(end)
        lrs_socket.close()
        proxy_socket.close()
    outbox = ask(ours, "SELECT statement_id, person_id FROM xapi_outbox ORDER BY id")
    sent = [row[0] for row in outbox]
    held = [row[0] for row in ask(theirs, "SELECT statement_id FROM xapi_statement ORDER BY id")]
    built_in = [row[0] for row in ask(ours, "SELECT statement_id FROM xapi_statement ORDER BY id")]
    parked = ask(ours, "SELECT target, status, words FROM xapi_parked")
    lost, doubled = set(sent) - set(held), len(held) - len(set(held))
    sys.stdout.write(
        f"killed: worker {done['worker']}, web {done['web']}; recorded {len(sent)}, acknowledged "
        f"{len(acknowledged)}, held {len(held)}, lost {len(lost)}, doubled {doubled}, "
        f"parked {len(parked)}; {time.monotonic() - started:.0f} s\n"
    )
    assert len(sent) > kills
    assert set(acknowledged) <= set(sent)
    assert parked == []
    assert sorted(held) == sorted(sent)
    assert sorted(built_in) == sorted(sent)
    person_of = dict(outbox)
    for person in people:
        mine = [one for one in sent if person_of[one] == person]
        assert [one for one in held if person_of[one] == person] == mine
        assert [one for one in built_in if person_of[one] == person] == mine


def _read(pipe: int, rest: bytes, into: list[str]) -> bytes:
    """Read what the web process acknowledged; return a line begun and not ended."""
    while True:
        try:
            rest += os.read(pipe, 65536)
        except BlockingIOError:
            *whole, rest = rest.split(b"\n")
            into += [line.decode() for line in whole if len(line) == 36]
            return rest


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other a hundred times faster here than in life: so many more must fail
    before order gives way (`xapi.delivery.run.PATIENCE`)."""
    monkeypatch.setattr(delivery_run, "PATIENCE", 100 * delivery_run.PATIENCE)


@pytest.mark.network
def test_six_kills(tmp_path: Path, migrated: Callable[[Path], str], patient: None) -> None:
    run(tmp_path, migrated, kills=6, pause=(0.05, 0.4))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_hundred_kills(tmp_path: Path, migrated: Callable[[Path], str], patient: None) -> None:
    run(tmp_path, migrated, kills=200, pause=(0.02, 0.8))
