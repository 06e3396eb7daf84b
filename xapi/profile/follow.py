"""Holding a row of statements against patterns (xAPI Profiles, part three, 2.2). Pure.

Matching is greedy and never goes back, as the specification defines it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import Any

# For each statement, in the order of timestamps, the ids of the templates that it meets.
Row = Sequence[Collection[str]]
Patterns = Mapping[str, Mapping[str, Any]]


class Outcome(Enum):
    """How far a pattern matched; PARTIAL: the statements ended in the middle of it."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILURE = "failure"


def follows(row: Row, patterns: Patterns) -> str | None:
    """Return the id of the primary pattern that this row follows from end to end, or None."""
    for pattern_id, pattern in patterns.items():
        if pattern.get("primary") and match(row, pattern_id, patterns) == (Outcome.SUCCESS, []):
            return pattern_id
    return None


def match(row: Row, element: str, patterns: Patterns) -> tuple[Outcome, list[Collection[str]]]:
    """Match a pattern or template, by its id, at the start of a row; return what of it is left."""
    left = list(row)
    if element not in patterns:
        if not left:
            return Outcome.PARTIAL, []
        if element in left[0]:
            return Outcome.SUCCESS, left[1:]
        return Outcome.FAILURE, left
    pattern = patterns[element]
    if "sequence" in pattern:
        return _sequence(left, pattern["sequence"], patterns)
    if "alternates" in pattern:
        return _alternates(left, pattern["alternates"], patterns)
    if "optional" in pattern:
        if not left:
            return Outcome.SUCCESS, []
        outcome, rest = match(left, pattern["optional"], patterns)
        return (Outcome.SUCCESS, left) if outcome is Outcome.FAILURE else (outcome, rest)
    if "oneOrMore" in pattern:
        outcome, rest = match(left, pattern["oneOrMore"], patterns)
        if outcome is not Outcome.SUCCESS:
            return outcome, rest
        return _repeat(rest, pattern["oneOrMore"], patterns)
    return _repeat(left, pattern["zeroOrMore"], patterns)


def _sequence(
    row: list[Collection[str]], elements: Sequence[str], patterns: Patterns
) -> tuple[Outcome, list[Collection[str]]]:
    left = row
    for element in elements:
        outcome, left = match(left, element, patterns)
        if outcome is Outcome.FAILURE:
            return Outcome.FAILURE, row
        if outcome is Outcome.PARTIAL:
            return Outcome.PARTIAL, []
    return Outcome.SUCCESS, left


def _alternates(
    row: list[Collection[str]], elements: Sequence[str], patterns: Patterns
) -> tuple[Outcome, list[Collection[str]]]:
    """The longest of those that match."""
    outcomes = [match(row, element, patterns) for element in elements]
    matched = [left for outcome, left in outcomes if outcome is Outcome.SUCCESS]
    if matched:
        return Outcome.SUCCESS, min(matched, key=len)
    if any(outcome is Outcome.PARTIAL for outcome, _ in outcomes):
        return Outcome.PARTIAL, []
    return Outcome.FAILURE, row


def _repeat(
    row: list[Collection[str]], element: str, patterns: Patterns
) -> tuple[Outcome, list[Collection[str]]]:
    left = row
    while True:
        outcome, following = match(left, element, patterns)
        if outcome is Outcome.FAILURE:
            return Outcome.SUCCESS, left
        if outcome is Outcome.PARTIAL:
            # Between two turns nothing is begun; within one, something is left unfinished.
            return (Outcome.PARTIAL, left) if left else (Outcome.SUCCESS, left)
        if len(following) == len(left):
            return Outcome.SUCCESS, following
        left = following
