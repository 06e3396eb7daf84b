"""Rules as data: what is read, what is refused and how, and what a hash means."""

from __future__ import annotations

import contextlib
import itertools

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from certificates.catalogue import LIBRARY
from certificates.rules.model import COMPLETED_MEASURE, Need
from certificates.rules.nodes import BadRule
from certificates.rules.parse import parse
from lms.evidence import Filter, Source

GOOD = """
slug: connected-colleague
title: Connected Colleague
requires:
  all:
    - completed: path/first-30-days
      title: First 30 days
    - id: colleagues
      title: Answer colleagues
      usage: {verb: replied, at_least: 3, distinct: recipient, in: {group_kind: work}}
      within: 14d
"""


def test_a_rule_is_read_into_measures_filters_and_windows() -> None:
    rule = parse(GOOD)
    assert rule.need is Need.ALL
    path, colleagues = rule.conditions
    assert (path.id, path.measure) == ("first-30-days", COMPLETED_MEASURE)
    assert path.where == Filter(target="path/first-30-days")
    assert colleagues.measure == "esn.recipients"
    assert colleagues.where == Filter(
        verb="replied", group_kind="work", sources=frozenset({Source.EVENT})
    )
    assert (colleagues.at_least, colleagues.within_days) == (3, 14)


@pytest.mark.parametrize(
    ("distinct", "measure"),
    [
        ("recipient", "esn.recipients"),
        ("day", "esn.days"),
        ("group", "esn.groups"),
        ("null", "esn.acts"),
    ],
)
def test_what_is_distinct_chooses_the_measure(distinct: str, measure: str) -> None:
    rule = parse(GOOD.replace("distinct: recipient", f"distinct: {distinct}"))
    assert rule.conditions[1].measure == measure


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("verb: replied", "verb: replyed", ["Line 10", "requires.all[2].usage.verb", "replied"]),
        ("within: 14d", "within: 14", ["Line 11", "within", "14d"]),
        ("within: 14d", "within: 900d", ["Line 11", "366"]),
        ("at_least: 3", "at_least: 0", ["Line 10", "at_least", "0 is not between"]),
        ("at_least: 3", "at_least: ٣", ["at_least", "whole number"]),
        ("distinct: recipient", "distinct: people", ["distinct", "recipient"]),
        ("path/first-30-days", "paths/first", ["Line 6", "completed"]),
        ("  all:", "  most:", ["Line 5", "most", "all"]),
        ("title: Answer colleagues", "titel: x", ["titel", "title"]),
        ("    - id: colleagues", "    - id: first-30-days", ["two conditions"]),
        ("      within: 14d", "      within: 14d\n      within: 15d", ["stands twice"]),
        ("slug: connected-colleague\n", "", ["slug", "missing"]),
        ("title: Connected Colleague", "title: ''", ["title", "empty"]),
        ("title: Connected Colleague", "title: [a]", ["title", "text"]),
        ("title: Connected Colleague", "title: &a x", ["Line 3", "references"]),
        ("title: Connected Colleague", "title: !!python/name:os.system x", ["tags"]),
        ("in: {group_kind: work}", "in: {}", ["group_kind", "missing"]),
        ("in: {group_kind: work}", "only_if_reported: true", ["only_if_reported", "client"]),
        ("requires:", "requires: [", ["cannot be read"]),
    ],
)
def test_an_error_names_the_place_and_what_would_do(
    before: str, after: str, words: list[str]
) -> None:
    text = GOOD.replace(before, after, 1)
    assert text != GOOD
    with pytest.raises(BadRule) as caught:
        parse(text)
    for word in words:
        assert word in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "- a",
        "null",
        "{}",
        "slug: x\ntitle: y\nrequires: {}",
        "x" * 30_000,
        "\x00",
        "slug: " + "[" * 5000,
    ],
)
def test_what_is_no_rule_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadRule):
        parse(text)


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(BadRule):
        parse(text)


@given(st.permutations(["slug", "title", "requires"]), st.permutations([0, 1, 2, 3]))
def test_order_of_keys_comments_and_spacing_do_not_change_the_hash(
    keys: list[str], usage_keys: list[int]
) -> None:
    data = yaml.safe_load(GOOD)
    usage = data["requires"]["all"][1]["usage"]
    listed = list(usage.items())
    data["requires"]["all"][1]["usage"] = dict(listed[number] for number in usage_keys)
    text = "# a comment\n" + yaml.safe_dump({key: data[key] for key in keys}, sort_keys=False)
    assert parse(text).digest() == parse(GOOD).digest()


def test_every_change_of_meaning_changes_the_hash() -> None:
    variants = [
        GOOD,
        GOOD.replace("at_least: 3", "at_least: 4"),
        GOOD.replace("within: 14d", "within: 15d"),
        GOOD.replace("all:", "any:"),
        GOOD.replace("group_kind: work", "group_kind: social"),
        GOOD.replace("distinct: recipient", "distinct: day"),
        GOOD.replace("Answer colleagues", "Answer"),
        GOOD.replace("verb: replied", "verb: any"),
        GOOD.replace("verb: replied", "verb: replied, client: mobile"),
        GOOD.replace("verb: replied", "verb: replied, accept: [event, aggregate]"),
    ]
    for one, other in itertools.combinations(variants, 2):
        assert parse(one).digest() != parse(other).digest()


def test_the_hash_of_a_rule_stays_the_same_over_versions_of_this_program() -> None:
    assert (
        parse(GOOD).digest() == "753cc72162060ab2d2428ed8ae7e5c68d0e2903dc7f74e6a2fdc05795bb15d53"
    )


def test_four_certificates_ship_one_for_each_path() -> None:
    rules = {parse(file.read_text()).slug: parse(file.read_text()) for file in LIBRARY.iterdir()}
    targets = {slug: rule.conditions[0].where.target for slug, rule in rules.items()}
    assert targets == {
        "connected-colleague": "path/first-30-days",
        "leading-in-the-open": "path/people-manager",
        "visible-leader": "path/executive",
        "community-builder": "path/community-manager",
    }
    for rule in rules.values():
        assert rule.need is Need.ALL
        assert len(rule.conditions) >= 4
        assert rule.summary
