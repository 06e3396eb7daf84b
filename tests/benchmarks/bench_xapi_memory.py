"""Memory of `ropes serve` while it stores: ten times as much done, and no more of it held."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson
from flask import Flask

from lms.db import db
from lms.serving.ports import free_port
from tests.benchmarks.bench_xapi import BATCH, statement
from tests.benchmarks.harness import Place, Result, benchmark
from tests.benchmarks.serving import Server, basic, send, serve_ropes
from xapi.lrs import credentials

WARM, BATCHES = 400, 200  # SQLite's own cache of pages is full after some ten megabytes
BODIES, BODY_BYTES = 20, 4_190_000
LINES = 4  # connections, so that each of the server's processes gets its part


@benchmark("xapi.memory.stored", unit="MB more for ten times as much", target=20)
def stored(place: Place) -> Result:
    """The server after so many batches, and after ten times as many."""
    app = place.make_app()
    numbers = itertools.count()
    with posting(app, place) as (server, post):

        def store(batches: int) -> float:
            for _ in range(batches):
                number = next(numbers)
                post(orjson.dumps([statement(number * BATCH + one) for one in range(BATCH)]))
            return server.resident_mb()

        before = store(WARM)
        once = store(BATCHES)
        ten_times = store(9 * BATCHES)
    return Result(
        value=round(ten_times - once, 1),
        notes={
            f"after {WARM} batches": f"{before:.0f} MB",
            f"{BATCHES} more": f"{once:.0f} MB",
            f"{10 * BATCHES} more": f"{ten_times:.0f} MB",
        },
    )


@benchmark("xapi.memory.bodies", unit="MB more for ten times as much", target=20)
def bodies(place: Place) -> Result:
    """The server after so many bodies of four megabytes, and after ten times as many."""
    app = place.make_app()
    batch = [statement(number) for number in range(1_000)]
    room = (BODY_BYTES - len(orjson.dumps(batch))) // len(batch)
    for one in batch:
        one["result"]["response"] = "x" * room
    body = orjson.dumps(batch)
    assert 4_000_000 < len(body) <= BODY_BYTES
    with posting(app, place) as (server, post):
        idle = server.resident_mb()

        def send_on(times: int) -> float:
            for _ in range(times):
                post(body)  # known from the second on: read, validated and compared all the same
            return server.resident_mb()

        send_on(BODIES)
        once = send_on(BODIES)
        ten_times = send_on(9 * BODIES)
    return Result(
        value=round(ten_times - once, 1),
        notes={
            "idle": f"{idle:.0f} MB",
            f"{2 * BODIES} bodies": f"{once:.0f} MB",
            f"{11 * BODIES} bodies": f"{ten_times:.0f} MB",
        },
    )


@contextmanager
def posting(app: Flask, place: Place) -> Iterator[tuple[Server, Callable[[bytes], None]]]:
    """Run a server; yield it and a function that posts statements to it."""
    made, secret = credentials.add("bench", ["all"])
    headers = basic(made.key, secret)
    db.session.commit()
    db.session.remove()
    with serve_ropes(app, free_port(), place.folder / "ropes.log") as server:
        lines = [server.connect() for _ in range(LINES)]
        turns = itertools.cycle(lines)

        def post(body: bytes) -> None:
            status, answer = send(next(turns), body, headers)
            assert status == 200, answer[:300]

        yield server, post
        for line in lines:
            line.close()
