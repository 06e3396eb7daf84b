"""Finding statements: the filters of `GET /statements`, a page at a time.

Each page asks twice: for the statements that match, and for those that target one that does
(Communication 2.1.3, filter conditions for StatementRefs). Both walk an index from the cursor on,
so that the hundredth page costs what the first did.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, false, select, true
from sqlalchemy.orm import aliased

from lms.db import db
from xapi.lrs.models import (
    LrsActivity,
    LrsAgent,
    LrsReference,
    LrsStatement,
    LrsStatementActivity,
    LrsStatementAgent,
    LrsVerb,
)
from xapi.lrs.parts import digest

PAGE_MOST = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; None does not narrow.

    agent: a key (`xapi.lrs.parts.find_agent_key`). own: key of the only authority whose statements
    are shown. after: the cursor, row id of the last statement of the page before. limit: 1 to 500.
    """

    agent: str | None = None
    verb: str | None = None
    activity: str | None = None
    registration: str | None = None
    related_agents: bool = False
    related_activities: bool = False
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    ascending: bool = False
    own: str | None = None
    after: int | None = None
    limit: int = PAGE_MOST


@dataclass(frozen=True, slots=True)
class Page:
    """The statements of a page, as JSON texts; `after` is the next page's cursor, if there is one."""

    texts: list[str]
    after: int | None


def find_page(wanted: Wanted) -> Page:
    """Return one page of statements that are not voided."""
    ids = _find_ids(wanted)
    more = len(ids) > wanted.limit
    ids = ids[: wanted.limit]
    texts: dict[int, str] = {}
    for row in db.session.execute(
        select(LrsStatement.id, LrsStatement.text).where(LrsStatement.id.in_(ids))
    ):
        texts[row.id] = row.text
    return Page([texts[one] for one in ids], ids[-1] if more else None)


def find_one(statement_id: str, voided: bool, own: str | None = None) -> Any:
    """Return the row (text, stored) of a statement that is voided or is not, or None."""
    asked = select(LrsStatement.text, LrsStatement.stored).where(
        LrsStatement.statement_id == statement_id.lower(), LrsStatement.voided.is_(voided)
    )
    if own is not None:
        asked = asked.where(_names(LrsStatement, LrsStatementAgent, _agent_id(own), related=True))
    return db.session.execute(asked).first()


def _find_ids(wanted: Wanted) -> list[int]:
    """Return up to limit + 1 row ids, in order."""
    filters = _Filters.resolve(wanted)
    if filters is None:
        return []
    bounds = _bounds(wanted)
    found: set[int] = set()
    for asked, place in filters.matching():
        found |= set(db.session.scalars(_page(asked, place, LrsStatement, bounds, wanted)))
    if filters.narrow:
        source = aliased(LrsStatement)
        through = filters.targeting(source)
        found |= set(db.session.scalars(_page(through, source.id, source, bounds, wanted)))
    return sorted(found, reverse=not wanted.ascending)[: wanted.limit + 1]


def _bounds(wanted: Wanted) -> tuple[int | None, int | None]:
    """Return the row ids between which, both exclusive, the page lies."""
    low = None if wanted.since is None else _last_stored_by(wanted.since)
    high = None if wanted.until is None else _last_stored_by(wanted.until) + 1
    if wanted.after is not None:
        if wanted.ascending:
            low = wanted.after if low is None else max(low, wanted.after)
        else:
            high = wanted.after if high is None else min(high, wanted.after)
    return low, high


def _page(
    asked: Select[Any],
    place: Any,
    model: Any,
    bounds: tuple[int | None, int | None],
    wanted: Wanted,
) -> Select[Any]:
    """Narrow to what is time and sequence, and order; `place` is the column walked along."""
    low, high = bounds
    asked = asked.where(model.voided == false())
    if low is not None:
        asked = asked.where(place > low)
    if high is not None:
        asked = asked.where(place < high)
    if wanted.own is not None:
        asked = asked.where(_names(model, LrsStatementAgent, _agent_id(wanted.own), related=True))
    order = place.asc() if wanted.ascending else place.desc()
    return asked.order_by(order).limit(wanted.limit + 1)


def _last_stored_by(moment: dt.datetime) -> int:
    """Return the highest row id stored at or before `moment` (ids and `stored` share one order)."""
    found = db.session.scalar(
        select(LrsStatement.id)
        .where(LrsStatement.stored <= moment)
        .order_by(LrsStatement.stored.desc(), LrsStatement.id.desc())
        .limit(1)
    )
    return found or 0


def _agent_id(key: str) -> int:
    return db.session.scalar(select(LrsAgent.id).where(LrsAgent.key == key)) or -1


def _names(model: Any, link: Any, row_id: int, related: bool) -> Any:
    """Return the condition that a statement names this agent or activity."""
    states = (True, False) if related else (True,)
    column = _column(link).key
    inner = aliased(link)  # the outer query may walk the same table, which is not meant here
    return (
        select(inner.statement)
        .where(
            getattr(inner, column) == row_id,
            inner.direct.in_(states),
            inner.statement == model.id,
        )
        .exists()
    )


def _column(link: Any) -> Any:
    return link.agent_id if link is LrsStatementAgent else link.activity_id


@dataclass(frozen=True, slots=True)
class _Filters:
    """The filters with row ids in place of keys."""

    agent_id: int | None
    verb_id: int | None
    activity_id: int | None
    registration: str | None
    related_agents: bool
    related_activities: bool

    @classmethod
    def resolve(cls, wanted: Wanted) -> _Filters | None:
        """Return them, or None where something is asked for that was never stored."""
        ids: list[int | None] = []
        lookups: Sequence[tuple[Any, str | None]] = (
            (LrsAgent, wanted.agent),
            (LrsVerb, digest(wanted.verb) if wanted.verb is not None else None),
            (LrsActivity, digest(wanted.activity) if wanted.activity is not None else None),
        )
        for model, key in lookups:
            if key is None:
                ids.append(None)
                continue
            found = db.session.scalar(select(model.id).where(model.key == key))
            if found is None:
                return None
            ids.append(found)
        agent_id, verb_id, activity_id = ids
        return cls(
            agent_id,
            verb_id,
            activity_id,
            wanted.registration,
            wanted.related_agents,
            wanted.related_activities,
        )

    @property
    def narrow(self) -> bool:
        """Whether there is any filter that statements which target others could miss."""
        return any(
            one is not None
            for one in (self.agent_id, self.verb_id, self.activity_id, self.registration)
        )

    def matching(self) -> list[tuple[Select[Any], Any]]:
        """Return selects of the row ids that match by themselves, each with its column to walk.

        An agent's or activity's own statements lie together and in order: they lead.
        """
        links = self._links()
        if not links:
            asked: Select[Any] = select(LrsStatement.id).where(*self._plain(LrsStatement))
            return [(asked, LrsStatement.id)]
        link, row_id, related = links[0]
        rest = [_names(LrsStatement, *other) for other in links[1:]]
        return [
            (
                select(link.statement)
                .join(LrsStatement, LrsStatement.id == link.statement)
                .where(
                    _column(link) == row_id,
                    link.direct == (true() if direct else false()),
                    *rest,
                    *self._plain(LrsStatement),
                ),
                link.statement,
            )
            for direct in ((True, False) if related else (True,))
        ]

    def targeting(self, source: Any) -> Select[Any]:
        """Return a select of the ids of statements that target one that matches."""
        target = aliased(LrsStatement)
        conditions = [_names(target, *link) for link in self._links()]
        return (
            select(source.id)
            .distinct()
            .join(LrsReference, LrsReference.source == source.id)
            .join(target, target.id == LrsReference.target)
            .where(*conditions, *self._plain(target))
        )

    def _links(self) -> list[tuple[Any, int, bool]]:
        links: list[tuple[Any, int, bool]] = []
        if self.agent_id is not None:
            links.append((LrsStatementAgent, self.agent_id, self.related_agents))
        if self.activity_id is not None:
            links.append((LrsStatementActivity, self.activity_id, self.related_activities))
        return links

    def _plain(self, model: Any) -> list[Any]:
        conditions = []
        if self.verb_id is not None:
            conditions.append(model.verb_id == self.verb_id)
        if self.registration is not None:
            conditions.append(model.registration == self.registration)
        return conditions
