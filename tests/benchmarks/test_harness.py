"""The benchmarks' own harness: what it marks, and that every benchmark can be found."""

from __future__ import annotations

import pytest

from tests.benchmarks.harness import (
    Benchmark,
    Place,
    Result,
    by_turns,
    load_all,
    rate,
    rates_ratio,
)

PACKAGES = {"lms", "xapi", "courses", "esn", "certificates"}


def nothing(_place: Place) -> Result:
    return Result(value=0)


@pytest.mark.parametrize(
    ("value", "floor", "target", "target_ratio", "more", "missed"),
    [
        (5.0, None, 5.0, None, False, 0),
        (5.1, None, 5.0, None, False, 1),
        (300, None, 200, None, True, 0),
        (100, None, 200, None, True, 1),
        (4.0, 2.0, 5.0, 1.5, False, 1),
        (6.0, 2.0, 5.0, 1.5, False, 2),
        (50, 100, None, 0.5, True, 0),
        (4.0, None, None, 1.5, False, 0),
    ],
)
def test_what_misses_its_target_is_marked(
    value: float,
    floor: float | None,
    target: float | None,
    target_ratio: float | None,
    more: bool,
    missed: int,
) -> None:
    one = Benchmark("lms.some", "ms", nothing, target, target_ratio, more)
    assert len(one.misses(Result(value, floor))) == missed


def test_a_ratio_taken_turn_by_turn_counts_and_not_the_quotient() -> None:
    one = Benchmark("lms.some", "a second", nothing, None, 0.5, more_is_better=True)
    assert one.misses(Result(100, 150, ratio=0.4)) == ["wanted >= 0.5 of the floor"]
    assert one.misses(Result(100, 250, ratio=0.6)) == []


def test_turns_are_taken_one_after_the_other() -> None:
    seen: list[str] = []
    taken = by_turns({"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}, 3, times=2)
    assert "".join(seen) == "aabb" * 3
    assert [len(taken[name]) for name in "ab"] == [3, 3]
    assert rate([0.5, 0.25, 9.0], 100) == 200
    # Twice as quick, as quick, half as quick: in the middle, as quick.
    assert rates_ratio([1.0, 2.0, 4.0], [2.0, 2.0, 2.0]) == 1.0


def test_every_benchmark_bears_the_name_of_its_package() -> None:
    found = load_all()
    assert "lms.request" in found
    assert {name.split(".")[0] for name in found} <= PACKAGES
