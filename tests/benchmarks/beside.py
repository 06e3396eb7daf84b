"""A request of ours beside a request to bare Flask, turn by turn."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

from tests.benchmarks.bare import create
from tests.benchmarks.harness import Result, cpu_ms

# The least that a page for somebody signed in takes in Flask; ours ask the database as well.
PAGE, PONG = "/page", "/ping"
FLOORS = {
    PAGE: "bare Flask, a signed session read and thirty rows in a template",
    PONG: "bare Flask, the same answer",
}
TURNS = 5  # requests to bare Flask in each round: they are short


def bare_page_ms() -> float:
    """Return what bare Flask takes for a page, in milliseconds of CPU."""
    bare = create().test_client()
    with bare.session_transaction() as kept:
        kept["name"] = "Imani Okafor"
    return cpu_ms(lambda: bare.get(PAGE), times=100)


def beside_bare(
    call: Callable[[], Any], rounds: int = 60, floor: str = PAGE, **notes: Any
) -> Result:
    """Measure CPU time of a request beside bare Flask's, by turns: whatever slows one slows both.

    `call` makes the request; a few more are made before, to warm up.
    """
    bare = create().test_client()
    with bare.session_transaction() as kept:
        kept["name"] = "Imani Okafor"
    assert bare.get(floor).status_code == 200
    for _ in range(5):
        call()
    gc.collect()
    ours, theirs = [], []
    for _ in range(rounds):
        started = time.process_time()
        call()
        between = time.process_time()
        for _turn in range(TURNS):
            bare.get(floor)
        ours.append((between - started) * 1000)
        theirs.append((time.process_time() - between) * 1000 / TURNS)
    return Result(
        value=statistics.median(ours),
        floor=statistics.median(theirs),
        floor_is=FLOORS[floor],
        notes=notes,
        ratio=statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
    )
