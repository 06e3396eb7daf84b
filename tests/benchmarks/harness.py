"""What a benchmark is, what it measures with, and where it may work."""

from __future__ import annotations

import gc
import importlib
import resource
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import create_engine

from lms.app import create_app
from lms.db import db
from lms.migrate import upgrade
from lms.serving.settled import settle
from lms.writers import prepare_engine
from tests import databases
from tests.conftest import settings_for


@dataclass(frozen=True, slots=True)
class Result:
    """What a benchmark found.

    value: in the benchmark's unit. floor: the same unit, None where there is nothing to compare
    with; `floor_is` says what it is. notes: more figures, printed beneath (p95, bytes, counts).
    ratio: of value and floor, where it was taken turn by turn (`by_turns`) and says more than the
    two figures divided.
    """

    value: float
    floor: float | None = None
    floor_is: str = ""
    notes: dict[str, Any] = field(default_factory=dict)
    ratio: float | None = None

    def found_ratio(self) -> float | None:
        """Return value beside floor; None where there is no floor."""
        if self.ratio is not None:
            return self.ratio
        return self.value / self.floor if self.floor else None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A function that measures, and what is wanted of its value.

    target is met when value <= target, or value >= target where `more_is_better`;
    target_ratio likewise for value / floor. At least one of the two is set.
    """

    name: str
    unit: str
    run: Callable[[Place], Result]
    target: float | None
    target_ratio: float | None
    more_is_better: bool

    def misses(self, result: Result) -> list[str]:
        """Return what was wanted and is not so, in words; empty when all is well."""
        found = []
        for what, got, wanted in (
            ("", result.value, self.target),
            (" of the floor", result.found_ratio(), self.target_ratio),
        ):
            if got is None or wanted is None:
                continue
            if got < wanted if self.more_is_better else got > wanted:
                found.append(f"wanted {'>=' if self.more_is_better else '<='} {wanted:g}{what}")
        return found


REGISTER: dict[str, Benchmark] = {}


def benchmark(
    name: str,
    *,
    unit: str,
    target: float | None = None,
    target_ratio: float | None = None,
    more_is_better: bool = False,
) -> Callable[[Callable[[Place], Result]], Callable[[Place], Result]]:
    """Register a benchmark under `<package>.<what>`."""
    if target is None and target_ratio is None:
        raise ValueError("a benchmark wants a target")

    def register(run: Callable[[Place], Result]) -> Callable[[Place], Result]:
        if name in REGISTER:
            raise ValueError(f"two benchmarks are named {name}")
        REGISTER[name] = Benchmark(name, unit, run, target, target_ratio, more_is_better)
        return run

    return register


def load_all() -> dict[str, Benchmark]:
    """Import every `bench_*.py` beside this file and return what they register."""
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        importlib.import_module(f"tests.benchmarks.{path.stem}")
    return dict(sorted(REGISTER.items()))


class Place:
    """Where one benchmark works: a folder of its own, apps over fresh databases, raw databases."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._count = 0

    def make_app(self, **settings: Any) -> Flask:
        """Return an app over a fresh migrated database, its context pushed.

        SQLite as in production (WAL, synchronous FULL), or PostgreSQL where
        ROPES_TEST_DATABASE=postgresql.
        """
        self._count += 1
        where = self.folder / f"app{self._count}"
        where.mkdir()
        address = ""
        if databases.KIND == "postgresql":
            server = self._stack.enter_context(databases.postgresql_cluster())
            databases.run_sql(server, "CREATE DATABASE bench")
            address = f"{server}/bench"
        app = create_app({**settings_for(where, address), "TESTING": False, **settings})
        self._stack.enter_context(app.app_context())
        upgrade()
        self._stack.callback(_close)
        settle()  # as a process that serves does
        return app

    def raw_sqlite(self) -> sqlite3.Connection:
        """Return a plain connection to a new file, in the suite's own durability mode."""
        self._count += 1
        engine = create_engine(f"sqlite:///{self.folder / f'raw{self._count}.sqlite3'}")
        prepare_engine(engine)
        self._stack.callback(engine.dispose)
        raw = self._stack.enter_context(_closing_raw(engine.raw_connection()))
        connection = raw.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        return connection


def _close() -> None:
    db.session.remove()
    db.engine.dispose()


@contextmanager
def _closing_raw(connection: Any) -> Iterator[Any]:
    try:
        yield connection
    finally:
        connection.close()


def cpu_ms(call: Callable[[], Any], times: int = 50, warm_up: int = 5) -> float:
    """Return the median CPU time of one call in this process, in milliseconds, all threads."""
    return _median_ms(call, times, warm_up, time.process_time)


def wall_ms(call: Callable[[], Any], times: int = 50, warm_up: int = 5) -> float:
    """Return the median time on the wall of one call, in milliseconds."""
    return _median_ms(call, times, warm_up, time.perf_counter)


def _median_ms(
    call: Callable[[], Any], times: int, warm_up: int, clock: Callable[[], float]
) -> float:
    for _ in range(warm_up):
        call()
    gc.collect()
    taken = []
    for _ in range(times):
        start = clock()
        call()
        taken.append(clock() - start)
    return statistics.median(taken) * 1000


def per_second(call: Callable[[], int]) -> float:
    """Return how many things a second `call` did on the wall; it returns how many it did."""
    gc.collect()
    start = time.perf_counter()
    done = call()
    return done / (time.perf_counter() - start)


def by_turns(
    calls: Mapping[str, Callable[[], Any]], rounds: int, times: int = 1
) -> dict[str, list[float]]:
    """Run each call `times`, one kind after the other, round by round; return seconds a call.

    What else goes on in the machine, and on its disk, then befalls all kinds alike.
    """
    gc.collect()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            for _turn in range(times):
                call()
            taken[name].append((time.perf_counter() - start) / times)
    return taken


def rate(seconds: Sequence[float], count: int = 1) -> float:
    """Return how many things a second, by the median of the seconds that `count` things took."""
    return count / statistics.median(seconds)


def rates_ratio(value: Sequence[float], floor: Sequence[float]) -> float:
    """Return the rate of one kind beside another's: the median over the rounds of `by_turns`."""
    return statistics.median(slow / quick for quick, slow in zip(value, floor, strict=True))


def peak_mb() -> float:
    """Return the most memory that this process has held, in megabytes (its resident set)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
