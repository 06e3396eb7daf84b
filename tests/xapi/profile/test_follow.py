"""Part three, 2.2: patterns, greedily and without a way back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xapi.profile.follow import Outcome, follows, match

PATTERNS = {
    "whole": {"primary": True, "sequence": ["a", "some", "perhaps", "last"]},
    "some": {"zeroOrMore": "either"},
    "either": {"alternates": ["b", "pair", "c"]},
    "pair": {"sequence": ["c", "d"]},
    "perhaps": {"optional": "e"},
    "last": {"oneOrMore": "f"},
    "one of two": {"alternates": ["b", "pair"]},
}


def row(text: str) -> list[set[str]]:
    return [{one} for one in text]


@pytest.mark.parametrize(
    ("text", "followed"),
    [
        ("af", True),
        ("aff", True),
        ("abcdbef", True),
        ("acf", True),
        ("acdf", True),
        ("", False),
        ("a", False),
        ("abe", False),
        ("abeef", False),
        ("bf", False),
        ("afb", False),
        ("adf", False),
    ],
)
def test_a_row_from_end_to_end(text: str, followed: bool) -> None:
    assert (follows(row(text), PATTERNS) == "whole") is followed


@pytest.mark.parametrize(
    ("text", "element", "outcome", "left"),
    [
        ("ab", "a", Outcome.SUCCESS, "b"),
        ("", "a", Outcome.PARTIAL, ""),
        ("b", "a", Outcome.FAILURE, "b"),
        ("c", "pair", Outcome.PARTIAL, ""),
        ("cb", "pair", Outcome.FAILURE, "cb"),
        ("cde", "either", Outcome.SUCCESS, "e"),  # the longest: the pair, not c alone
        ("", "either", Outcome.PARTIAL, ""),
        ("x", "either", Outcome.FAILURE, "x"),
        ("c", "one of two", Outcome.PARTIAL, ""),  # the pair may still come
        ("", "some", Outcome.SUCCESS, ""),
        ("bbx", "some", Outcome.SUCCESS, "x"),
        ("", "last", Outcome.PARTIAL, ""),
        ("x", "last", Outcome.FAILURE, "x"),
        ("ffx", "last", Outcome.SUCCESS, "x"),
        ("x", "perhaps", Outcome.SUCCESS, "x"),
        ("ex", "perhaps", Outcome.SUCCESS, "x"),
    ],
)
def test_each_kind_of_pattern(text: str, element: str, outcome: Outcome, left: str) -> None:
    assert match(row(text), element, PATTERNS) == (outcome, row(left))


def test_only_primary_patterns_are_followed() -> None:
    assert follows(row("cd"), PATTERNS) is None


def test_a_statement_of_two_kinds_is_whichever_is_asked_for() -> None:
    assert follows([{"a", "x"}, {"y", "f"}], PATTERNS) == "whole"


@given(st.text("abcdef", max_size=12))
def test_the_same_as_a_regular_expression_that_never_goes_back(text: str) -> None:
    expected = re.fullmatch("a(?:cd|b|c)*e?f+", text)
    assert (follows(row(text), PATTERNS) == "whole") is bool(expected)
