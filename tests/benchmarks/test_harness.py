"""The benchmarks' own harness: what it marks, and that every benchmark can be found."""

from __future__ import annotations

import pytest

from tests.benchmarks.harness import Benchmark, Place, Result, load_all

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


def test_every_benchmark_bears_the_name_of_its_package() -> None:
    found = load_all()
    assert "lms.request" in found
    assert {name.split(".")[0] for name in found} <= PACKAGES
