"""When two statements are the same (xAPI 1.0.3, Data 2.3.1; IEEE 9274.1.1, 4.2.3): every place.

What an LRS may assign, or write otherwise, makes no difference; anything else makes one.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.xapi.conformance.test_data_2_2_formatting import both
from tests.xapi.conformance.whole import AGENT, ANONYMOUS, Path, drop, put, spell, walk, wholes
from xapi.lrs.compare import same

ASSIGNED = {"id", "authority", "stored", "version"}
UNSAID = {"attachments", "definition", "display", "objectType"}


def counts(path: Path) -> bool:
    """Tell whether what stands at a place is part of what the statement says."""
    return path[0] not in ASSIGNED and not UNSAID.intersection(path)


def another(value: Any) -> Any:
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"{value}x"
    return value + 1 if isinstance(value, int | float) else {"http://example.test/other": 1}


@both
def test_every_place_counts_or_does_not(version: int) -> None:
    wrong, count = [], 0
    for kind, whole in wholes(version).items():
        assert same(whole, put(whole, ("verb", "id"), whole["verb"]["id"]))
        for path, value in walk(whole):
            if isinstance(value, dict | list) and path[-1] != "extensions":
                continue
            if path[-1] == "objectType" and counts(path[:-1]):
                continue  # below: with another objectType it is another thing
            count += 1
            changed = put(whole, path, another(value))
            if same(whole, changed) is counts(path) or same(changed, whole) is counts(path):
                wrong.append(f"{kind}: {spell(path)}")
    assert wrong == []
    assert count > 500


@both
def test_what_is_left_out_counts_or_does_not(version: int) -> None:
    wrong = []
    for kind, whole in wholes(version).items():
        for path, _ in walk(whole):
            names = {step for step in path if isinstance(step, str)}
            if "objectType" in names or path in (("actor",), ("verb",), ("object",)):
                continue
            if names & {"verb", "account"} or path[-1] in ("id", "agent", "group"):
                continue  # required
            if kind.startswith("sub "):
                continue  # the same code
            if path == ("timestamp",) or isinstance(path[-1], int):
                continue
            if same(whole, drop(whole, path)) is counts(path):
                wrong.append(f"{kind}: {spell(path)}")
    assert wrong == []


@both
def test_another_way_to_write_it_is_no_difference(version: int) -> None:
    """Defaults, the order of members, upper case in UUIDs and hosts, one activity in no array."""
    for kind, whole in wholes(version).items():
        alike = [put(whole, path, list(reversed(value))) for path, value in _named(whole, "member")]
        if version == 1 or not kind.startswith("sub "):
            alike += [
                put(whole, path, value.upper()) for path, value in _named(whole, "registration")
            ]
            for name in ("parent", "grouping", "category", "other"):
                alike += [put(whole, path, value[0]) for path, value in _named(whole, name)]
        alike += [
            drop(whole, (*path, "objectType"))
            for path, value in walk(whole)
            if isinstance(value, dict)
            and value.get("objectType") in ("Agent", "Activity")
            and path[-1] != "object"
        ]
        if whole["object"].get("objectType") == "Activity":
            alike.append(drop(whole, ("object", "objectType")))
        reference = ("context", "statement", "id")
        alike.append(put(whole, reference, str(whole["context"]["statement"]["id"]).upper()))
        if kind == "ref":
            alike.append(put(whole, ("object", "id"), whole["object"]["id"].upper()))
        for one in alike:
            assert same(whole, one), kind
            assert same(one, whole), kind


def _named(whole: dict[str, Any], name: str) -> list[tuple[Path, Any]]:
    return [(path, value) for path, value in walk(whole) if path[-1] == name]


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        (("result", "success"), True, 1),
        (("result", "success"), 1, True),
        (("result", "score", "raw"), 0, False),
        (("result", "extensions"), {"http://e.test/x": None}, {}),
        (("result", "extensions"), {"http://e.test/x": [1]}, {"http://e.test/x": [1, 1]}),
        (("result", "extensions"), {"http://e.test/x": [1]}, {"http://e.test/x": [True]}),
        (("result", "extensions"), {"http://e.test/x": [1, 2]}, {"http://e.test/x": [2, 1]}),
        (("result", "extensions"), {"http://e.test/x": {}}, {"http://e.test/x": []}),
        (("result", "duration"), "PT1.23S", "PT1.24S"),
        (("actor",), AGENT, {**AGENT, "objectType": "Group"}),
        (("actor",), ANONYMOUS, {**ANONYMOUS, "member": ANONYMOUS["member"][:2]}),  # type: ignore[index]
        (("object", "timestamp"), "2026-11-23T10:00:00Z", "2026-11-23T10:00:01Z"),
    ],
)
def test_these_differ(path: Path, one: Any, other: Any) -> None:
    whole = wholes(1)["sub activity"]
    assert not same(put(whole, path, one), put(whole, path, other))


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        (("result", "score", "raw"), 1, 1.0),
        (("result", "duration"), "PT1.23S", "PT1.239S"),
        (("timestamp",), "2026-11-23T10:00:00Z", "2026-11-23T12:00:00.000+02:00"),
        (("object", "timestamp"), "2026-11-23T10:00:00Z", "2026-11-23T12:00:00.000+02:00"),
        (("actor",), {"mbox": "mailto:Leila@Example.test"}, {"mbox": "mailto:Leila@example.test"}),
    ],
)
def test_these_do_not(path: Path, one: Any, other: Any) -> None:
    whole = wholes(1)["sub activity"]
    assert same(put(whole, path, one), put(whole, path, other))
