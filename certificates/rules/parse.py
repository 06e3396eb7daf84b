"""From text to rule: the closed vocabulary, checked word by word.

    slug: connected-colleague
    title: Connected Colleague
    summary: What it says of its holder, in one sentence.
    requires:
      all:                              # or `any`
        - completed: path/first-30-days
          title: First 30 days
        - id: colleagues
          title: Answer colleagues
          usage: {verb: replied, at_least: 3, distinct: recipient, in: {group_kind: work}}
          within: 14d

docs/administrators/certificates.md tells administrators the same.
"""

from __future__ import annotations

import re

from certificates.rules.model import (
    COMPLETED_MEASURE,
    USAGE_MEASURES,
    VERBS,
    Condition,
    Distinct,
    Need,
    Offer,
    Rule,
)
from certificates.rules.nodes import BadRule, Place, read_root
from lms.errors import Sentence
from lms.evidence import Filter, Source

RULE_KEYS = frozenset({"slug", "title", "summary", "language", "order", "offered_to", "requires"})
CONDITION_KEYS = frozenset({"id", "title", "proved", "completed", "usage", "measure", "within"})
USAGE_KEYS = frozenset(
    {"verb", "at_least", "distinct", "client", "in", "accept", "only_if_reported"}
)
MEASURE_KEYS = frozenset({"slug", "at_least"})
MAX_CONDITIONS = 12
MAX_DAYS = 366
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TARGET = re.compile(r"(course|path)/[a-z0-9]+(-[a-z0-9]+)*")
MEASURE_SLUG = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def parse(text: str) -> Rule:
    """Return the rule a text means; raises BadRule, naming line and key, where it means none."""
    keys = read_root(text).mapping(RULE_KEYS)
    for needed in ("slug", "title", "requires"):
        if needed not in keys:
            raise BadRule("Line 1: “%(needed)s” is missing.", needed=needed)
    need, conditions = _requires(keys["requires"])
    return Rule(
        slug=_matching(keys["slug"], SLUG, 60, Sentence("small letters, digits and hyphens")),
        title=keys["title"].text(80),
        summary=keys["summary"].text(300) if "summary" in keys else "",
        language=_matching(keys["language"], LANGUAGE, 16, Sentence("a language code such as en"))
        if "language" in keys
        else "en",
        order=keys["order"].number(0, 1000) if "order" in keys else 50,
        offered_to=_offer(keys["offered_to"]) if "offered_to" in keys else Offer(),
        need=need,
        conditions=conditions,
    )


def _requires(place: Place) -> tuple[Need, tuple[Condition, ...]]:
    keys = place.mapping(frozenset(Need))
    if len(keys) != 1:
        raise place.fail("write either `all` or `any`, once.")
    word, listed = next(iter(keys.items()))
    conditions: list[Condition] = []
    for item in listed.items(MAX_CONDITIONS):
        condition = _condition(item)
        if condition.id in {other.id for other in conditions}:
            raise item.fail("two conditions have the id “%(name)s”.", name=condition.id)
        conditions.append(condition)
    return Need(word), tuple(conditions)


def _condition(place: Place) -> Condition:
    keys = place.mapping(CONDITION_KEYS)
    kinds = [kind for kind in ("completed", "usage", "measure") if kind in keys]
    if len(kinds) != 1:
        raise place.fail("a condition has exactly one of `completed`, `usage`, `measure`.")
    kind = kinds[0]
    if kind == "completed":
        target = _matching(keys["completed"], TARGET, 80, "course/<slug> or path/<slug>")
        if "within" in keys:
            raise keys["within"].fail("`within` belongs to usage, not to a completion.")
        identifier = target.partition("/")[2]
        measure, at_least, where = COMPLETED_MEASURE, 1, Filter(target=target)
        only_if_reported = False
    elif "id" not in keys:
        raise place.fail("a condition about usage needs an `id`.")
    elif kind == "usage":
        measure, at_least, where, only_if_reported = _usage(keys["usage"])
    else:
        inner = keys["measure"].mapping(MEASURE_KEYS)
        if "slug" not in inner:
            raise keys["measure"].fail("`slug` is missing.")
        measure = _matching(inner["slug"], MEASURE_SLUG, 80, "<plugin>.<name>")
        at_least = inner["at_least"].number(1, 10_000) if "at_least" in inner else 1
        where, only_if_reported = Filter(), False
    if "id" in keys:
        identifier = _matching(keys["id"], SLUG, 40, Sentence("small letters, digits and hyphens"))
    if "title" not in keys:
        raise place.fail("a condition needs a `title` that people can read.")
    title = keys["title"].text(80)
    return Condition(
        id=identifier,
        title=title,
        proved=keys["proved"].text(60) if "proved" in keys else title,
        measure=measure,
        where=where,
        at_least=at_least,
        within_days=_days(keys["within"]) if "within" in keys else None,
        only_if_reported=only_if_reported,
    )


def _usage(place: Place) -> tuple[str, int, Filter, bool]:
    keys = place.mapping(USAGE_KEYS)
    if "verb" not in keys:
        raise place.fail("`verb` is missing.")
    verb = keys["verb"].one_of(VERBS | {"any"})
    distinct: Distinct | None = None
    if "distinct" in keys and not keys["distinct"].is_null():
        distinct = Distinct(keys["distinct"].one_of(frozenset(Distinct)))
    client = keys["client"].one_of(frozenset({"mobile", "desktop"})) if "client" in keys else None
    group_kind = None
    if "in" in keys:
        inner = keys["in"].mapping(frozenset({"group_kind"}))
        if "group_kind" not in inner:
            raise keys["in"].fail("`group_kind` is missing.")
        group_kind = _matching(
            inner["group_kind"], SLUG, 40, Sentence("small letters, digits and hyphens")
        )
    # A signed, deduplicated act is what a certificate rests on; a rule may accept less.
    sources = frozenset({Source.EVENT})
    if "accept" in keys:
        known = frozenset({Source.EVENT.value, Source.AGGREGATE.value, Source.ATTESTED.value})
        sources = frozenset(Source(item.one_of(known)) for item in keys["accept"].items(3))
    only_if_reported = False
    if "only_if_reported" in keys:
        only_if_reported = keys["only_if_reported"].yes_or_no()
        if only_if_reported and client is None:
            raise keys["only_if_reported"].fail("it belongs to a condition that names a `client`.")
    return (
        USAGE_MEASURES[distinct],
        keys["at_least"].number(1, 10_000) if "at_least" in keys else 1,
        Filter(
            verb=None if verb == "any" else verb,
            group_kind=group_kind,
            client=client,
            others_only=True,
            sources=sources,
        ),
        only_if_reported,
    )


def _offer(place: Place) -> Offer:
    keys = place.mapping(frozenset({"job_roles", "managers"}))
    roles: tuple[str, ...] = ()
    if "job_roles" in keys:
        roles = tuple(item.text(80) for item in keys["job_roles"].items(40))
    return Offer(
        job_roles=roles, managers=keys["managers"].yes_or_no() if "managers" in keys else False
    )


def _days(place: Place) -> int:
    text = place.text(8)
    number = text[:-1]
    if not text.endswith("d") or not number.isascii() or not number.isdigit():
        raise place.fail("write days, such as 14d.")
    if not 1 <= int(number) <= MAX_DAYS:
        raise place.fail("between 1d and %(most)sd.", most=MAX_DAYS)
    return int(number)


def _matching(place: Place, pattern: re.Pattern[str], at_most: int, what: str) -> str:
    text = place.text(at_most)
    if not pattern.fullmatch(text):
        raise place.fail("“%(text)s” does not fit: write %(what)s.", text=text, what=what)
    return text
