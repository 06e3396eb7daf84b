"""Part two, 8.1: locations in statements."""

from __future__ import annotations

import pytest

from xapi.profile.jsonpath import NoPath, find

STATEMENT = {
    "actor": {"account": {"name": "x1"}, "mbox": None},
    "context": {
        "contextActivities": {
            "grouping": [{"id": "urn:g1"}, {"id": "urn:g2", "definition": {"type": "urn:t"}}]
        },
        "extensions": {"https://example.test/a,b|c]": [1, 2, 3], "it's": False},
    },
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [STATEMENT]),
        ("$.actor.account.name", ["x1"]),
        ("$.actor['account']['name']", ["x1"]),
        ("$.actor.mbox", [None]),  # null is something
        ("$.actor.nobody", []),
        ("$.actor.account.name.more", []),
        ("$.actor['mbox', 'name', 'openid']", [None]),
        ("$.context.contextActivities.grouping[*].id", ["urn:g1", "urn:g2"]),
        ("$.context.contextActivities.grouping[1].definition.type", ["urn:t"]),
        ("$.context.contextActivities.grouping[0,1].id", ["urn:g1", "urn:g2"]),
        ("$.context.contextActivities.grouping[2].id", []),
        ("$.context.contextActivities.*[*].id", ["urn:g1", "urn:g2"]),
        ("$.context.extensions['https://example.test/a,b|c]'][0]", [1]),
        # One value, though it is an array, as the specification says.
        ("$.context.extensions['https://example.test/a,b|c]']", [[1, 2, 3]]),
        (r"$.context.extensions['it\'s']", [False]),
        ("$.actor.account.name | $.actor.mbox|$.nothing", ["x1", None]),
        ("$.actor[0]", []),
        ("$.context.contextActivities.grouping.id", []),
    ],
)
def test_what_a_path_finds(path: str, found: list[object]) -> None:
    assert find(path, STATEMENT) == found


@pytest.mark.parametrize(
    "path",
    [
        "",
        "actor.name",
        "$.",
        "$..name",
        "$.a[?(@.b)]",
        "$.a[(@.length-1)]",
        "$.a[-1]",
        "$.a[0:2]",
        "$.a[]",
        "$.a['b',]",
        "$.a['b' 'c']",
        "$.a['b'",
        "$.a | b",
        "$.a |",
        "$.a $.b",
    ],
)
def test_what_profiles_must_not_use_is_refused(path: str) -> None:
    with pytest.raises(NoPath):
        find(path, STATEMENT)
