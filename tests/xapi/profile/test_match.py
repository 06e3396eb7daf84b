"""Part three, 2.1: statement templates, property by property and rule by rule."""

from __future__ import annotations

from typing import Any

import pytest

from xapi.profile.match import faults_of, is_meant, judge

STATEMENT: dict[str, Any] = {
    "id": "1",
    "verb": {"id": "urn:did"},
    "object": {"id": "urn:o", "definition": {"type": "urn:course"}},
    "result": {"success": True, "score": {"scaled": 1}},
    "context": {
        "contextActivities": {
            "parent": [{"id": "urn:p", "definition": {"type": "urn:lesson"}}, {"id": "urn:bare"}],
            "grouping": [
                {"id": "urn:g", "definition": {"type": "urn:a"}},
                {"id": "urn:h", "definition": {"type": "urn:b"}},
            ],
            "category": [{"id": "urn:c", "definition": {"type": "urn:profile"}}],
            "other": [{"id": "urn:x", "definition": {"type": "urn:else"}}],
        }
    },
    "attachments": [{"usageType": "urn:usage"}],
}


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("verb", "urn:did", "urn:does"),
        ("objectActivityType", "urn:course", "urn:lesson"),
        ("contextParentActivityType", ["urn:lesson"], ["urn:a"]),
        ("contextGroupingActivityType", ["urn:b"], ["urn:b", "urn:c"]),
        ("contextGroupingActivityType", ["urn:b", "urn:a"], ["urn:lesson"]),
        ("contextCategoryActivityType", ["urn:profile"], ["urn:else"]),
        ("contextOtherActivityType", ["urn:else"], ["urn:profile"]),
        ("attachmentUsageType", ["urn:usage"], ["urn:else"]),
    ],
)
def test_each_determining_property_decides(name: str, right: Any, wrong: Any) -> None:
    assert is_meant(STATEMENT, {name: right})
    assert not is_meant(STATEMENT, {name: wrong})
    assert not is_meant({"verb": {"id": "urn:else"}}, {name: right})


# part two, 8.1: what is asked of the value at $.result.success (True), or at $.result.none (none).
THERE, NOT_THERE = "$.result.success", "$.result.none"


@pytest.mark.parametrize(
    ("rule", "follows"),
    [
        ({"location": THERE, "presence": "included"}, True),
        ({"location": NOT_THERE, "presence": "included"}, False),
        ({"location": THERE, "presence": "excluded"}, False),
        ({"location": NOT_THERE, "presence": "excluded"}, True),
        ({"location": THERE, "presence": "recommended"}, True),
        ({"location": NOT_THERE, "presence": "recommended"}, True),
        ({"location": THERE, "any": [False, True]}, True),
        ({"location": THERE, "any": [False]}, False),
        ({"location": NOT_THERE, "any": [True]}, False),  # without presence it is strict
        ({"location": NOT_THERE, "presence": "recommended", "any": [True]}, True),
        ({"location": THERE, "presence": "recommended", "any": [False]}, False),
        ({"location": THERE, "all": [True]}, True),
        ({"location": THERE, "all": [1]}, False),  # true is no number
        ({"location": "$.result.score.scaled", "all": [1.0]}, True),  # but 1 is 1.0
        ({"location": "$.result.score.scaled", "all": [True]}, False),
        ({"location": NOT_THERE, "all": [True]}, True),  # nothing there that is not among them
        ({"location": THERE, "none": [True]}, False),
        ({"location": THERE, "none": [False]}, True),
        ({"location": NOT_THERE, "none": [True]}, True),
        ({"location": "$..", "presence": "included"}, None),
    ],
)
def test_each_kind_of_rule(rule: dict[str, Any], follows: bool | None) -> None:
    if follows is None:
        with pytest.raises(ValueError, match=r"\$"):
            faults_of(STATEMENT, rule)
    else:
        assert (faults_of(STATEMENT, rule) == []) is follows


def test_all_and_any_over_several_values() -> None:
    ids = "$.context.contextActivities.grouping[*].id"
    assert faults_of(STATEMENT, {"location": ids, "any": ["urn:h"]}) == []
    assert faults_of(STATEMENT, {"location": ids, "all": ["urn:h"]}) == [
        f"{ids} has ['urn:g'], only ['urn:h'] may be there"
    ]
    assert faults_of(STATEMENT, {"location": ids, "all": ["urn:h", "urn:g"]}) == []
    assert faults_of(STATEMENT, {"location": ids, "none": ["urn:h"]}) == [
        f"{ids} must not be 'urn:h'"
    ]


def test_a_selector_that_finds_nothing_leaves_what_cannot_match() -> None:
    """One parent has a definition, the other none."""
    rule = {"location": "$.context.contextActivities.parent[*]", "selector": "$.definition.type"}
    assert faults_of(STATEMENT, {**rule, "presence": "included"}) != []
    assert faults_of(STATEMENT, {**rule, "all": ["urn:lesson"]}) != []
    assert faults_of(STATEMENT, {**rule, "any": ["urn:lesson"]}) == []
    assert faults_of(STATEMENT, {**rule, "presence": "excluded"}) != []
    assert faults_of(STATEMENT, {**rule, "selector": "$.none", "presence": "excluded"}) == []


def test_references_are_followed_where_what_they_name_is_known() -> None:
    first = {"id": "urn:t1", "verb": "urn:did", "rules": []}
    second = {"id": "urn:t2", "verb": "urn:undid", "objectStatementRefTemplate": ["urn:t1"]}
    templates = [first, second]
    undone = {"verb": {"id": "urn:undid"}, "object": {"objectType": "StatementRef", "id": "1"}}
    known = {"1": STATEMENT, "2": undone}
    assert judge(undone, templates, known.get).met == ("urn:t2",)
    assert judge(undone, templates).met == ("urn:t2",)  # it may be somewhere else
    again = {**undone, "object": {"objectType": "StatementRef", "id": "2"}}
    assert judge(again, templates, known.get).broken == {
        "urn:t2": ["$.object refers to a statement of another kind"]
    }
    plain = {**undone, "object": {"id": "urn:o"}}
    assert judge(plain, templates).reason() == "urn:t2: $.object is no StatementRef"
    context = {"id": "urn:t3", "contextStatementRefTemplate": ["urn:t1"]}
    assert not judge(plain, [context]).fits


def test_one_that_is_broken_is_one_too_many() -> None:
    met = {"id": "urn:t1", "verb": "urn:did"}
    broken = {**met, "id": "urn:t2", "rules": [{"location": "$.result", "presence": "excluded"}]}
    assert judge(STATEMENT, [met]).fits
    both = judge(STATEMENT, [met, broken])
    assert (both.met, list(both.broken), both.fits) == (("urn:t1",), ["urn:t2"], False)
    assert both.reason().startswith("urn:t2: $.result must not be there")


def test_what_fits_none_says_so() -> None:
    judgement = judge(STATEMENT, [{"id": "urn:t", "verb": "urn:else"}])
    assert not judgement.fits
    assert judgement.reason().startswith("no template has this verb")
