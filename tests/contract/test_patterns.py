"""Every regular expression that people's or strangers' text may meet takes linear time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.patterns import patterns_in, why_suspect

pytestmark = pytest.mark.house
ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("lms", "xapi", "courses", "esn", "certificates")
OWN_TEXT_ALONE = ("migrations", "bootstrap", "demo", "assets.py")
# Suspect, and all right: how they begin, and why.
KNOWN = {
    r"\[((?:'(?:": "reads our own published profile, which nobody sends",
    "(.*) at line ": "a parser's message; words stand between the repeats, and are found from its end",
    "(?:[a-z]{2,3}(?:-[a-z]{3})": "a language tag: what each part is, its length says",
}


def test_every_pattern_takes_linear_time() -> None:
    suspect = [
        f"{file.relative_to(ROOT)}:{line}: {pattern!r}: {why}"
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
        if not set(OWN_TEXT_ALONE) & {*file.parts}
        for line, pattern, searched in patterns_in(file)
        if (why := why_suspect(pattern, searched)) and not str(pattern).startswith(tuple(KNOWN))
    ]
    assert not suspect, "\n".join(suspect)


@pytest.mark.parametrize(
    ("pattern", "searched"),
    [
        (r"(?P<text>.*?)[ \t]*\{#", False),
        (r"(a+)*b", False),
        (r"(?:a|b+)+c", False),
        (r"[^@\s]+@[^@\s]+\.[^@\s]+", False),
        (r"\s*\|\s*", True),
        (r"\d+\d*x", False),
        (r"(?:\s*\w+\s*)*;", False),
    ],
)
def test_a_pattern_that_can_be_shared_out_in_several_ways_is_found(
    pattern: str, searched: bool
) -> None:
    assert why_suspect(pattern, searched)


@pytest.mark.parametrize(
    "pattern", [r"[a-z0-9]+(?:-[a-z0-9]+)*\Z", r'"([^"]*)"', r"\d{4}-\d\d(?:\.\d+)?Z", r"a*b*c"]
)
def test_a_pattern_that_fits_in_one_way_is_not_suspect(pattern: str) -> None:
    assert not why_suspect(pattern)
