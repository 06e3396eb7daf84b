"""Statements about acts: none, those that count toward something, or all (LMS_ESN_STATEMENTS).

The default, *counted*, records an act only when somebody works on a condition that it counts toward
(`lms.evidence.conditions_in_force`): enough for evidence, no more than needed. A statement holds
digests, no text, and names no colleague.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from flask import current_app
from sqlalchemy import Row, bindparam, select, update

from esn.models import Usage
from esn.vocabulary import Act
from lms.db import db
from lms.evidence import Condition, Source, conditions_in_force
from lms.people.models import Person
from xapi.api import record_many
from xapi.build import activity, activity_iri, our_profile, template
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
_TABLE: Any = Usage.__table__


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


def record_acts(rows: Sequence[Row[Any]]) -> None:
    """Record statements about these new rows of the ledger, as the setting says."""
    setting = current_app.config["LMS_ESN_STATEMENTS"]
    mine = [row for row in rows if row.person_id is not None and row.kind == Source.EVENT.value]
    if setting == Recorded.NONE.value or not mine:
        return
    if setting == Recorded.COUNTED.value:
        mine = list(counting(mine, conditions_in_force()))
    if not mine:
        return
    people = {row.person_id for row in mine}
    uids = dict(
        db.session.execute(select(Person.id, Person.uid).where(Person.id.in_(people)))
        .tuples()
        .all()
    )
    told = record_many([(row.person_id, statement_of(row, uids)) for row in mine])
    db.session.connection().execute(
        update(_TABLE)
        .where(_TABLE.c.id == bindparam("act"))
        .values(statement_id=bindparam("told")),
        [{"act": row.id, "told": one} for row, one in zip(mine, told, strict=True)],
    )


def counting(rows: Sequence[Row[Any]], conditions: Iterable[Condition]) -> Iterable[Row[Any]]:
    """Yield the rows that count toward a condition that their person works on."""
    people = {row.person_id for row in rows}
    asked: dict[int, frozenset[int]] = {}
    wanted: list[tuple[Condition, frozenset[int] | None]] = []
    for condition in conditions:
        if not condition.measure.startswith(MEASURES):
            continue
        working = None
        if condition.people is not None:
            key = id(condition.people)  # conditions of one certificate share their select
            if key not in asked:
                inner = condition.people.subquery()
                column = next(iter(inner.c))
                asked[key] = frozenset(db.session.scalars(select(column).where(column.in_(people))))
            working = asked[key]
        wanted.append((condition, working))
    for row in rows:
        if any(
            (working is None or row.person_id in working) and counts(row, condition)
            for condition, working in wanted
        ):
            yield row


def counts(row: Row[Any], condition: Condition) -> bool:
    """Whether an act is one of those that a condition counts."""
    where, window = condition.where, condition.window
    asked: tuple[tuple[str | None, str], ...] = (
        (where.verb, row.verb),
        (where.group_kind, row.group_kind),
        (where.client, row.client),
    )
    return (
        all(want is None or want == have for want, have in asked)
        and not (where.others_only and row.recipient_id == row.account_id)
        and (not where.sources or Source.EVENT in where.sources)
        and (window.since is None or row.occurred_at >= window.since)
        and (window.until is None or row.occurred_at < window.until)
    )


def statement_of(row: Row[Any], uids: Mapping[int, str]) -> dict[str, Any]:
    """Return the statement about one act, as a plain dict."""
    verb, kind, name = TERMS[row.verb]
    thing = row.object_key or row.parent_key or row.group_key or "unnamed"
    place = "groups" if kind == GROUP and thing == row.group_key else "content"
    built = template(
        uids[row.person_id],
        verb,
        activity("network", kind, name),
        category=[our_profile()],
        timestamp=row.occurred_at,
    )
    # Every act has an object of its own: a tincan object for each would cost more than the rest.
    built["object"] = _plain(f"network/{place}/{thing}", kind, name)
    related: dict[str, Any] = built["context"]["contextActivities"]
    if row.parent_key:
        related["parent"] = [
            _plain(f"network/content/{row.parent_key}", FORUM_TOPIC, "A post in the network")
        ]
    if row.group_key:
        related["grouping"] = [
            _plain(f"network/groups/{row.group_key}", GROUP, "A group of the network")
        ]
    return built


def _plain(path: str, kind: str, name: str) -> dict[str, Any]:
    return {
        "objectType": "Activity",
        "id": activity_iri(path),
        "definition": {"type": kind, "name": {"en": name}},
    }
