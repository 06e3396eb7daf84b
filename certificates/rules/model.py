"""What a rule is, once read: values only, nothing here touches a database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from lms.evidence import Filter, Source, Window

# The acts a usage condition may count; `any` stands for all of them.
VERBS = frozenset(
    {
        "posted",
        "replied",
        "commented",
        "reacted",
        "shared",
        "mentioned",
        "asked",
        "answered",
        "joined",
        "followed",
        "searched",
    }
)


class Distinct(StrEnum):
    """What is counted once, however often it occurs."""

    RECIPIENT = "recipient"
    DAY = "day"
    GROUP = "group"


class Need(StrEnum):
    """Whether every condition is needed, or one of them."""

    ALL = "all"
    ANY = "any"


# Which measure answers which kind of condition; None: the acts themselves are counted.
USAGE_MEASURES = {
    None: "esn.acts",
    Distinct.RECIPIENT: "esn.recipients",
    Distinct.DAY: "esn.days",
    Distinct.GROUP: "esn.groups",
}
COMPLETED_MEASURE = "courses.completed"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must be so.

    id: stable within the rule; a short name of letters, digits and hyphens.
    title: what the learner reads ("Answer colleagues"); proved: what the certificate prints
    ("Answered three colleagues").
    measure: slug of the measure that knows; where, within_days: what it is asked.
    only_if_reported: the condition is not asked as long as no network says which client is used.
    """

    id: str
    title: str
    proved: str
    measure: str
    where: Filter
    at_least: int = 1
    within_days: int | None = None
    only_if_reported: bool = False

    @property
    def window(self) -> Window:
        """The time the measure looks at."""
        return Window(within_days=self.within_days)

    def plain(self) -> dict[str, Any]:
        """Return the condition as plain data, complete, in one form for each meaning."""
        return {
            "id": self.id,
            "title": self.title,
            "proved": self.proved,
            "measure": self.measure,
            "where": {
                "target": self.where.target,
                "verb": self.where.verb,
                "group_kind": self.where.group_kind,
                "client": self.where.client,
                "others_only": self.where.others_only,
                "sources": sorted(self.where.sources),
            },
            "at_least": self.at_least,
            "within_days": self.within_days,
            "only_if_reported": self.only_if_reported,
        }


@dataclass(frozen=True, slots=True)
class Offer:
    """To whom a certificate is shown as theirs to earn; nothing given: to everybody.

    It decides what people see, never who may earn: whoever meets the rule is given it.
    """

    job_roles: tuple[str, ...] = ()
    managers: bool = False

    @property
    def everybody(self) -> bool:
        """Whether it is shown to all."""
        return not self.job_roles and not self.managers

    def fits(self, job_role: str, is_manager: bool) -> bool:
        """Whether it is shown to a person with this role."""
        if self.everybody:
            return True
        wanted = {role.casefold() for role in self.job_roles}
        return (self.managers and is_manager) or job_role.casefold() in wanted


@dataclass(frozen=True, slots=True)
class Rule:
    """A whole rule: what the certificate is called, to whom it is offered, what it requires."""

    slug: str
    title: str
    summary: str
    need: Need
    conditions: tuple[Condition, ...]
    language: str = "en"
    order: int = 50
    offered_to: Offer = field(default_factory=Offer)

    def plain(self) -> dict[str, Any]:
        """Return the rule as plain data, complete, in one form for each meaning."""
        return {
            "slug": self.slug,
            "title": self.title,
            "summary": self.summary,
            "language": self.language,
            "order": self.order,
            "offered_to": {
                "job_roles": sorted(self.offered_to.job_roles),
                "managers": self.offered_to.managers,
            },
            "need": self.need.value,
            "conditions": [condition.plain() for condition in self.conditions],
        }

    def digest(self) -> str:
        """Return the SHA-256 of the rule's meaning: comments, order of keys, spacing do not count."""
        return hashlib.sha256(orjson.dumps(self.plain(), option=orjson.OPT_SORT_KEYS)).hexdigest()

    def needed(self, count: int | None = None) -> int:
        """Return how many of `count` conditions (default: all there are) must be met."""
        total = len(self.conditions) if count is None else count
        return total if self.need is Need.ALL else min(1, total)


ALL_SOURCES = frozenset(Source)
