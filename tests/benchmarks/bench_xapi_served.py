"""The record store behind the real web server: one statement at a time, and eight clients at once."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from typing import Any

import orjson
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert

from lms.db import db
from lms.serving.ports import free_port
from tests.benchmarks.bare import create
from tests.benchmarks.bench_xapi import make_client, statement
from tests.benchmarks.harness import (
    Place,
    Result,
    benchmark,
    by_turns,
    rate,
    rates_ratio,
)
from tests.benchmarks.overlapping import CLIENTS, overlap
from tests.benchmarks.serving import basic, send, serve_bare, serve_ropes
from xapi.lrs import credentials

ROUNDS, TIMES, WARM = 16, 50, 200
SECONDS = 60


@benchmark("xapi.single", unit="statements/s", target_ratio=0.5, more_is_better=True)
def single(place: Place) -> Result:
    """One statement at a time, beside the slower of a bare Flask POST and a one-row commit.

    The statements and the bare POST go over a connection that stays open to the web server that
    `ropes serve` runs; the commit is made as the suite makes its own. The same three, without a
    network and a server, are in the notes.
    """
    bodies = iter(
        [orjson.dumps(statement(number)) for number in range(ROUNDS * TIMES * 2 + 3 * WARM)]
    )
    one = _one_row(place)
    app = place.make_app()
    made, secret = credentials.add("bench", ["all"])
    key = made.key
    db.session.commit()
    db.session.remove()
    with ExitStack() as stack:
        ports = free_port(), free_port()
        ropes = stack.enter_context(serve_ropes(app, ports[0], place.folder / "ropes.log"))
        bare = stack.enter_context(serve_bare(ports[1], place.folder / "bare.log"))
        lines = {"ropes": ropes.connect(), "bare Flask POST": bare.connect()}
        headers = basic(key, secret)

        def post(name: str) -> None:
            status, answer = send(lines[name], next(bodies), headers)
            assert status == 200, answer

        kinds: dict[str, Any] = {
            "ropes": lambda: post("ropes"),
            "bare Flask POST": lambda: _again(lines["bare Flask POST"], headers),
            "one-row commit": one,
        }
        by_turns(kinds, 1, WARM)
        taken = by_turns(kinds, ROUNDS, TIMES)
        for line in lines.values():
            line.close()
    value = taken.pop("ropes")
    slower = max(taken, key=lambda name: statistics.median(taken[name]))
    return Result(
        value=rate(value),
        floor=rate(taken[slower]),
        floor_is=f"{slower}, turn by turn",
        ratio=rates_ratio(value, taken[slower]),
        notes={
            **{name: round(rate(seconds)) for name, seconds in taken.items()},
            **_without_server(place, one),
        },
    )


_BODY = orjson.dumps(statement(0))


def _again(line: Any, headers: dict[str, str]) -> None:
    status, answer = send(line, _BODY, headers)
    assert status == 200, answer


def _one_row(place: Place) -> Any:
    """Return a function that commits one row as the suite does, in a database of its own."""
    table = Table(
        "bench_one", MetaData(), Column("id", Integer, primary_key=True), Column("text", Text)
    )
    app = place.make_app()
    with app.app_context():
        table.create(db.engine)
    text = orjson.dumps(statement(0)).decode()

    def commit() -> None:
        with app.app_context():
            db.session.execute(insert(table), {"text": text})
            db.session.commit()

    return commit


def _without_server(place: Place, one: Any) -> dict[str, str]:
    """Return what the same takes in one process, by the test client."""
    post = make_client(place.make_app())
    client = create().test_client()
    bodies = iter([orjson.dumps(statement(number)) for number in range(ROUNDS * TIMES + WARM)])
    kinds: dict[str, Any] = {
        "ropes": lambda: post(next(bodies)),
        "bare": lambda: client.post(
            "/xapi/statements", data=_BODY, content_type="application/json"
        ),
        "commit": one,
    }
    by_turns(kinds, 1, WARM)
    taken = by_turns(kinds, ROUNDS, TIMES)
    slower = max(taken["bare"], taken["commit"], key=statistics.median)
    told = ", ".join(
        f"{name} {statistics.median(times) * 1000:.2f}" for name, times in taken.items()
    )
    return {
        "without a server, ms": told,
        "without a server, ratio": f"{rates_ratio(taken['ropes'], slower):.2f}",
    }


@benchmark("xapi.overlapping", unit="errors", target=0)
def overlapping(place: Place) -> Result:
    """Eight clients for a minute: the same agents, activities and, one in ten, the same statements."""
    found = overlap(place.make_app(), place.folder / "ropes.log", SECONDS)
    errors = [*found.errors, *found.check()]
    return Result(
        value=len(errors),
        notes={
            "clients": CLIENTS,
            "seconds": SECONDS,
            "batches": found.batches,
            "statements/s": round(found.sent / SECONDS),
            "stored": len(found.acknowledged),
            **({"first": errors[0][:300]} if errors else {}),
        },
    )
