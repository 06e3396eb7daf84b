"""Statements about acts: none, those that count toward something, or all (LMS_ESN_STATEMENTS).

The default, *counted*, records an act only when somebody works on a condition that it counts toward
(`lms.evidence.conditions_in_force`): enough for evidence, no more than needed. A statement holds
digests, no text, and names no colleague.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import BindParameter, Select, bindparam, select

from esn.vocabulary import Act
from lms.db import db
from lms.evidence import Condition, Source, conditions_in_force
from lms.people.models import Person
from xapi.api import record_many
from xapi.build import INSTALLATION, activity, activity_iri, our_profile, template
from xapi.vocabulary import (
    ANSWERED,
    ASKED,
    COMMENTED,
    FOLLOWED,
    FORUM_REPLY,
    FORUM_TOPIC,
    GROUP,
    JOINED,
    LEFT,
    MENTIONED,
    POSTED,
    REACTED,
    REPLIED,
    SEARCHED,
    SHARED,
    UPDATED,
    VerbTerm,
)

MEASURES = "esn."
_people: BindParameter[Any] = bindparam("people", expanding=True)
_UIDS = select(Person.id, Person.uid).where(Person.id.in_(_people))
# A row of the ledger by its columns, before or after it is written.
LedgerRow = Mapping[str, Any]
Told = TypeVar("Told", bound=LedgerRow)


class Recorded(StrEnum):
    """Which acts become statements."""

    NONE = "none"
    COUNTED = "counted"
    ALL = "all"


def parse_recorded(text: str) -> str:
    """Read the setting; ValueError with the words that are known."""
    try:
        return Recorded(text.strip().lower()).value
    except ValueError:
        raise ValueError(f"write one of: {', '.join(Recorded)}") from None


# What each act is called in a statement: verb, type and name of its object.
TERMS: dict[str, tuple[VerbTerm, str, str]] = {
    Act.POSTED: (POSTED, FORUM_TOPIC, "A post in the network"),
    Act.REPLIED: (REPLIED, FORUM_REPLY, "A reply in the network"),
    Act.COMMENTED: (COMMENTED, FORUM_REPLY, "A comment in the network"),
    Act.REACTED: (REACTED, FORUM_TOPIC, "A reaction in the network"),
    Act.SHARED: (SHARED, FORUM_TOPIC, "Something shared in the network"),
    Act.MENTIONED: (MENTIONED, FORUM_TOPIC, "A mention in the network"),
    Act.ASKED: (ASKED, FORUM_TOPIC, "A question in the network"),
    Act.ANSWERED: (ANSWERED, FORUM_REPLY, "An answer in the network"),
    Act.SEARCHED: (SEARCHED, FORUM_TOPIC, "A search in the network"),
    Act.JOINED: (JOINED, GROUP, "A group of the network"),
    Act.LEFT: (LEFT, GROUP, "A group of the network"),
    Act.FOLLOWED: (FOLLOWED, GROUP, "Somebody or something in the network"),
    Act.UPDATED: (UPDATED, FORUM_TOPIC, "Something in the network"),
}


POST = (FORUM_TOPIC, "A post in the network")
NAMED_GROUP = (GROUP, "A group of the network")


def choose(acts: Sequence[Told]) -> list[Told]:
    """Return those of these acts that become statements, as the setting says."""
    setting = current_app.config["LMS_ESN_STATEMENTS"]
    mine = [one for one in acts if one["person_id"] is not None and one["kind"] == Source.EVENT]
    if setting == Recorded.NONE.value or not mine:
        return []
    if setting == Recorded.COUNTED.value:
        return list(counting(mine, conditions_in_force()))
    return mine


def record_acts(acts: Sequence[LedgerRow]) -> None:
    """Record a statement of each of these acts, under the id that stands in it."""
    if not acts:
        return
    people = {one["person_id"] for one in acts}
    uids = dict(db.session.connection().execute(_UIDS, {"people": list(people)}).tuples().all())
    writer = Writer(uids)
    record_many([(one["person_id"], writer.write(one)) for one in acts])


def counting(acts: Sequence[Told], conditions: Iterable[Condition]) -> Iterable[Told]:
    """Yield the acts that count toward a condition that their person works on."""
    people = {one["person_id"] for one in acts}
    asked: dict[int, frozenset[int]] = {}
    wanted: list[tuple[Condition, frozenset[int] | None]] = []
    for condition in conditions:
        if not condition.measure.startswith(MEASURES):
            continue
        working = None
        if condition.people is not None:
            key = id(condition.people)  # conditions of one certificate share their select
            if key not in asked:
                rows = db.session.connection().scalars(
                    _among(condition.people), {"people": list(people)}
                )
                asked[key] = frozenset(rows)
            working = asked[key]
        wanted.append((condition, working))
    for one in acts:
        if any(
            (working is None or one["person_id"] in working) and counts(one, condition)
            for condition, working in wanted
        ):
            yield one


@lru_cache(maxsize=256)
def _among(people: Select[tuple[int]]) -> Select[tuple[int]]:
    """Narrow a select of ids to some `people`; one that its owner keeps is narrowed once."""
    column = next(iter(people.subquery().c))
    return select(column).where(column.in_(_people))


def counts(act: LedgerRow, condition: Condition) -> bool:
    """Whether an act is one of those that a condition counts."""
    where, window = condition.where, condition.window
    asked: tuple[tuple[str | None, str], ...] = (
        (where.verb, act["verb"]),
        (where.group_kind, act["group_kind"]),
        (where.client, act["client"]),
    )
    return (
        all(want is None or want == have for want, have in asked)
        and not (where.others_only and act["recipient_id"] == act["account_id"])
        and (not where.sources or Source.EVENT in where.sources)
        and (window.since is None or act["occurred_at"] >= window.since)
        and (window.until is None or act["occurred_at"] < window.until)
    )


class Writer:
    """Writes the statements of a batch of acts: what is the same in many is built once."""

    def __init__(self, uids: Mapping[int, str]) -> None:
        self.uids = uids
        self.network = activity_iri("network")
        self.patterns: dict[str, dict[str, Any]] = {}

    def write(self, act: LedgerRow) -> dict[str, Any]:
        """Return the statement about one act, as a plain dict."""
        verb, kind, name = TERMS[act["verb"]]
        pattern = self.patterns.get(act["verb"])
        if pattern is None:
            about = activity("network", kind, name)
            pattern = template(INSTALLATION, verb, about, category=[our_profile()])
            self.patterns[act["verb"]] = pattern
        thing = act["object_key"] or act["parent_key"] or act["group_key"] or "unnamed"
        place = "groups" if kind == GROUP and thing == act["group_key"] else "content"
        related: dict[str, Any] = dict(pattern["context"]["contextActivities"])
        if act["parent_key"]:
            related["parent"] = [self._activity("content", act["parent_key"], *POST)]
        if act["group_key"]:
            related["grouping"] = [self._activity("groups", act["group_key"], *NAMED_GROUP)]
        account = {**pattern["actor"]["account"], "name": self.uids[act["person_id"]]}
        at: dt.datetime = act["occurred_at"]
        return {
            **pattern,
            "id": act["statement_id"],
            "actor": {**pattern["actor"], "account": account},
            "object": self._activity(place, thing, kind, name),
            "context": {**pattern["context"], "contextActivities": related},
            "timestamp": at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        }

    def _activity(self, place: str, key: str, kind: str, name: str) -> dict[str, Any]:
        return {
            "objectType": "Activity",
            "id": f"{self.network}/{place}/{key}",
            "definition": {"type": kind, "name": {"en": name}},
        }
