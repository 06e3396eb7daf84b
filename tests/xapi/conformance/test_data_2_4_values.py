"""Which values a property may have, wherever it stands (xAPI 1.0.3, Data 2.4 and 4; 9274.1.1, 4.2).

A table of each kind of value: what is one, and what is none. Each is tried in every place where the
standard has that kind, in statements that say everything (`whole`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.xapi.conformance.test_data_2_2_formatting import refusal
from tests.xapi.conformance.whole import (
    ANONYMOUS,
    GROUP,
    MEMBERS,
    REF,
    VERSIONS,
    put,
    spell,
    walk,
    wholes,
)
from tests.xapi.lrs import VERB

ACCOUNT = {"account": {"homePage": "http://example.test", "name": "leila"}}
MAIL = {"mbox": "mailto:leila@example.test"}


@dataclass(frozen=True)
class Kind:
    """A kind of value: section, by the last step of which places it is found, what is one, what none."""

    section: str
    names: tuple[str, ...]
    right: tuple[Any, ...]
    wrong: tuple[Any, ...]
    version: int | None = None  # of the standard; None: both
    only: Callable[[Any], bool] = lambda value: True  # by what stands there


LANGUAGE_MAPS = ("display", "description")
KINDS = {
    "agent": Kind(
        "2.4.2.1, 2.4.2.3",
        ("actor", "instructor", "authority", "agent"),
        (
            ACCOUNT,
            MAIL,
            {"mbox_sha1sum": "0" * 40},
            {"mbox_sha1sum": "ABCDEF0123" * 4},
            {"openid": "http://leila.example.test"},
            {"objectType": "Agent", **MAIL, "name": ""},
        ),
        (
            {},
            {"name": "Leila"},
            {**ACCOUNT, **MAIL},
            {**MAIL, "openid": "http://leila.example.test"},
            {**MAIL, "mbox_sha1sum": "0" * 40},
            {"mbox": "leila@example.test"},
            {"mbox": "mailto:leila"},
            {"mbox": "mailto:@example.test"},
            {"mbox": "mailto:leila@example.test,tomasz@example.test"},
            {"mbox": "MAILTO leila@example.test"},
            {"mbox_sha1sum": "0" * 39},
            {"mbox_sha1sum": "0" * 41},
            {"mbox_sha1sum": "g" * 40},
            {"openid": "leila"},
            {"account": {}},
            {"account": {"homePage": "http://example.test"}},
            {"account": {"name": "leila"}},
            {"account": {"homePage": "example.test", "name": "leila"}},
            {"account": {"homePage": "http://example.test", "name": "leila", "id": 1}},
            {**MAIL, "member": []},
            {**MAIL, "objectType": "agent"},
            {**MAIL, "objectType": "Activity"},
            {**MAIL, "objectType": "Person"},
        ),
    ),
    "group": Kind(
        "2.4.2.2",
        ("team", "group"),
        (
            GROUP,
            ANONYMOUS,
            {"objectType": "Group", **MAIL},
            {"objectType": "Group", **MAIL, "member": []},
            {"objectType": "Group", "member": [ACCOUNT]},
        ),
        (
            {"objectType": "Group"},
            {"objectType": "Group", "name": "Night shift"},
            {"objectType": "Agent", **MAIL},
            {"member": MEMBERS},
            {"objectType": "Group", **MAIL, **ACCOUNT},
            {"objectType": "Group", "member": MAIL},
            {"objectType": "Group", "member": [MAIL, GROUP]},
            {"objectType": "Group", "member": [ANONYMOUS]},
            {"objectType": "Group", "member": [{}]},
            {"objectType": "Group", "member": [{"name": "Leila"}]},
            {"objectType": "Group", "member": [{**MAIL, **ACCOUNT}]},
            {"objectType": "Group", "member": ["mailto:leila@example.test"]},
        ),
    ),
    "verb": Kind(
        "2.4.3",
        ("verb",),
        (
            {"id": VERB["id"]},
            {"id": "urn:x:did", "display": {}},
            {"id": "tag:example.test,2026:did"},
        ),
        ({}, {"display": {"en": "did"}}, {"id": "did"}, {"id": VERB["id"], "name": "did"}),
    ),
    "language map": Kind(
        "4.2",
        LANGUAGE_MAPS,
        (
            {},
            {"en": ""},
            {"de-AT": "x", "es-419": "x", "zh-Hant-TW": "x", "x-own": "x"},
            {"und": "x"},
        ),
        ({"english!": "x"}, {"en_US": "x"}, {"": "x"}, {"en": 1}, {"en": None}, {"en": ["x"]}, "x"),
    ),
    "interaction": Kind(
        "2.4.4.1",
        ("interactionType",),
        (),
        ("Choice", "essay", "", "true false"),
    ),
    "components": Kind(
        "2.4.4.1",
        ("choices", "scale", "source", "target", "steps"),
        ([], [{"id": "a"}], [{"id": "a"}, {"id": "A"}], [{"id": "ü b"}]),
        (
            [{"id": "a"}, {"id": "a"}],
            [{"id": ""}],
            [{}],
            [{"description": {"en": "A"}}],
            [{"id": "a", "text": "A"}],
            ["a"],
            {"id": "a"},
        ),
    ),
    "scaled": Kind("2.4.5.1", ("scaled",), (-1, 0, 1, 0.25), (1.01, -1.01, 2, "1", 10**30)),
    "score": Kind(
        "2.4.5.1",
        ("score",),
        (
            {},
            {"scaled": 1},
            {"min": 0, "max": 10},
            {"raw": -3.5},
            {"raw": 10, "min": 10, "max": 11},
            {"raw": 11, "min": 10, "max": 11},
        ),
        (
            {"min": 10, "max": 10},
            {"min": 11, "max": 10},
            {"raw": 9, "min": 10},
            {"raw": 12, "max": 11},
            {"raw": 9.99, "min": 10, "max": 11},
            {"percent": 3},
        ),
    ),
    "duration": Kind(
        "4.6",
        ("duration",),
        ("PT0S", "P3D", "PT1.50S", "P1Y2M3DT4H5M6.7S", "P2W", "PT0.000001S"),
        ("P", "PT", "1D", "P1", "P1S", "P1DT", "P-1D", "3 hours", "", "pt1s"),
    ),
    "uuid": Kind(
        "2.4.1, 2.4.6.1",
        ("registration",),
        ("EC531277-B57B-4C15-8D91-D292C5B2B8F7",),
        (
            "one",
            "",
            "ec531277b57b4c158d91d292c5b2b8f7",
            "ec531277-b57b-4c15-8d91-d292c5b2b8f",
            "{ec531277-b57b-4c15-8d91-d292c5b2b8f7}",
            "ec531277-b57b-4c15-8d91-d292c5b2b8fg",
            " ec531277-b57b-4c15-8d91-d292c5b2b8f7",
        ),
    ),
    "language": Kind(
        "2.4.6",
        ("language",),
        ("en", "de-AT", "zh-Hant-TW", "es-419"),
        ("english!", "en_US", "", "e"),
    ),
    "related activities": Kind(
        "2.4.6.2",
        ("parent", "grouping", "category", "other"),
        (
            [],
            {"id": "http://example.test/a"},
            [{"id": "http://example.test/a"}, {"objectType": "Activity", "id": "urn:x:b"}],
        ),
        (
            [{}],
            {"id": "a"},
            [{"id": "urn:x:b"}, {"id": "b"}],
            [{"objectType": "Agent", **MAIL}],
            "x",
        ),
    ),
    "context activities": Kind(
        "2.4.6.2",
        ("contextActivities",),
        ({}, {"parent": [{"id": "urn:x:a"}]}),
        ({"parents": []}, {"Parent": []}, []),
    ),
    "statement reference": Kind(
        "2.4.4.3",
        ("statement",),
        (REF,),
        (
            {"id": REF["id"]},
            {"objectType": "StatementRef"},
            {**REF, "id": "one"},
            {**REF, "objectType": "statementRef"},
            {**REF, "definition": {}},
        ),
    ),
    "attachments": Kind(
        "2.4.11",
        ("attachments",),
        ([],),
        ({}, [{}], ["x"]),
    ),
    "hash": Kind(
        "2.4.11",
        ("sha2",),
        ("A" * 64, "0" * 56, "0" * 96, "0" * 128),
        ("0" * 63, "0" * 65, "g" * 64, "", "0" * 40),
    ),
    "length": Kind("2.4.11", ("length",), (0, 2**40), (-1, 1.5, "3", True, 2**64)),
    "media type": Kind(
        "2.4.11",
        ("contentType",),
        ("application/octet-stream", "image/svg+xml", "text/plain;charset=utf-8"),
        ("text", "", "text/", "/plain", "text/plain/x", "text plain"),
    ),
    "timestamp 1.0": Kind(
        "2.4.7, 4.5",
        ("timestamp", "stored"),
        (
            "2026-11-23T10:00:00Z",
            "2026-11-23T10:00:00.123456789Z",
            "2026-11-23T10:00:00+02:00",
            "2026-11-23T10:00:00+0200",
            "2026-11-23T10:00:00+02",
            "2028-02-29T23:59:59-11:30",
        ),
        (
            "2026-11-23T10:00:00-00:00",
            "2026-11-23T10:00:00-0000",
            "2026-11-23T10:00:00-00",
            "2026-02-30T10:00:00Z",
            "2026-13-01T10:00:00Z",
            "2026-11-23T25:00:00Z",
            "yesterday",
            "",
            "1790000000",
        ),
        version=1,
    ),
    "timestamp 2.0": Kind(
        "9274.1.1, 4.2.4.2",
        ("timestamp", "stored"),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00.123456Z", "2026-11-23T10:00:00+02:00"),
        (
            "20261123T100000Z",
            "2026-11-23",
            "2026-11-23T10:00:00",
            "2026-11-23T10:00:00-00:00",
            "2026-02-30T10:00:00Z",
            "",
        ),
        version=2,
    ),
    "version 1.0": Kind(
        "2.4.10",
        ("version",),
        ("1.0.0", "1.0.9"),
        ("0.9", "1.1.0", "2.0.0", "1.0.x", ""),
        version=1,
    ),
    "version 2.0": Kind(
        "9274.1.1, 4.2.2.9",
        ("version",),
        ("2.0.0", "2.0.1", "1.0.3"),
        ("0.9", "2.1.0", "2", ""),
        version=2,
    ),
    "context agents": Kind(
        "9274.1.1, 4.2.2.5",
        ("contextAgents",),
        ([], [{"objectType": "contextAgent", "agent": MAIL}]),
        (
            [{"agent": MAIL}],
            [{"objectType": "contextAgent"}],
            [{"objectType": "contextGroup", "agent": MAIL}],
            [{"objectType": "contextAgent", "agent": GROUP}],
            [{"objectType": "contextAgent", "agent": MAIL, "relevantTypes": []}],
            [{"objectType": "contextAgent", "agent": MAIL, "relevantTypes": ["peer"]}],
            [{"objectType": "contextAgent", "agent": MAIL, "relevantTypes": "http://x.test/"}],
        ),
        version=2,
    ),
    "context groups": Kind(
        "9274.1.1, 4.2.2.5",
        ("contextGroups",),
        ([], [{"objectType": "contextGroup", "group": ANONYMOUS}]),
        (
            [{"group": GROUP}],
            [{"objectType": "contextGroup"}],
            [{"objectType": "contextGroup", "group": MAIL}],
            [{"objectType": "contextGroup", "group": GROUP, "relevantTypes": []}],
        ),
        version=2,
    ),
}


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        (kind, one)
        for kind, table in KINDS.items()
        for one in VERSIONS
        if table.version in (None, one)
    ],
)
def test_values(kind: str, version: int) -> None:
    """Each is judged alike wherever it stands; a refusal begins with the place."""
    table = KINDS[kind]
    misjudged, count = [], 0
    for name, whole in wholes(version).items():
        for path, present in walk(whole):
            if path[-1] not in table.names or not _is_such(table, path, present):
                continue
            for value in table.right:
                count += 1
                if (found := refusal(put(whole, path, value), version)) is not None:
                    misjudged.append(f"{name}: {spell(path)} = {value!r} refused: {found}")
            for value in table.wrong:
                count += 1
                found = refusal(put(whole, path, value), version)
                if found is None or not found.startswith(spell(path)):
                    misjudged.append(f"{name}: {spell(path)} = {value!r}: {found or 'taken'}")
    assert misjudged == []
    assert count > 0


def _is_such(table: Kind, path: Any, present: Any) -> bool:
    """Leave out namesakes: an activity's `description`, the `target` of nothing else."""
    if table is KINDS["language map"]:
        return isinstance(present, dict)
    if table is KINDS["statement reference"]:
        return path[-2] == "context"
    return table.only(present)
