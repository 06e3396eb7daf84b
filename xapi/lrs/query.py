"""Finding statements: the filters of `GET /statements`, a page at a time.

Each page asks twice: for the statements that match, and for those that target one that does
(Communication 2.1.3, filter conditions for StatementRefs). Both walk a list in order from the
cursor on, so that the thousandth page costs what the first did.

Each filter is such a list of row ids (`xapi.lrs.lists`). Where there are several, the shortest is
walked and the others are looked into, entry by entry. Which is the shortest we count ourselves, up
to a point: no database knows it of one agent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from lms.db import db
from xapi.lrs import lists, sql
from xapi.lrs.keys import digest
from xapi.lrs.lists import Term
from xapi.lrs.models import LrsStatement

PAGE_MOST = 500
COUNTED_MOST = 20_000  # of two lists that are both longer, either will do
SHORT = 1_000  # a list from which its references are found one by one
_FIND_TEXTS = "SELECT id, text FROM xapi_statement WHERE id {any}"
_FIND_LAST_BY = (
    "SELECT id FROM xapi_statement WHERE stored <= {one} ORDER BY stored DESC, id DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; None does not narrow.

    agent: a key (`xapi.lrs.keys.find_agent_key`). own: key of the only authority whose statements
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
    """The statements of a page, as row ids and JSON texts; `after`: the next page's cursor, if any."""

    ids: list[int]
    texts: list[str]
    after: int | None


def find_page(wanted: Wanted) -> Page:
    """Return one page of statements that are not voided."""
    here = sql.Here()
    ids = _find_ids(here, wanted)
    more = len(ids) > wanted.limit
    ids = ids[: wanted.limit]
    texts = dict(here.execute(_FIND_TEXTS, ids).fetchall())
    return Page(ids, [texts[one] for one in ids], ids[-1] if more else None)


def find_one(statement_id: str, voided: bool, own: str | None = None) -> Any:
    """Return the row (id, text, stored) of a statement that is voided or is not, or None."""
    asked = select(LrsStatement.id, LrsStatement.text, LrsStatement.stored).where(
        LrsStatement.statement_id == statement_id.lower(), LrsStatement.voided.is_(voided)
    )
    row = db.session.execute(asked).first()
    if row is None or own is None:
        return row
    here = sql.Here()
    shown = _Query("", "TRUE", ())
    shown.look([_own(here, own)], str(int(row.id)))
    found = here.execute(f"SELECT 1 WHERE {' AND '.join(shown.conditions)}", *shown.values)
    return row if found.fetchone() else None


def _find_ids(here: sql.Here, wanted: Wanted) -> list[int]:
    """Return up to limit + 1 row ids, in order."""
    terms = _terms(here, wanted)
    if terms is None:
        return []
    page = _Page(here, wanted)
    if not terms:
        return sorted(page.walk(lists.EVERYTHING, []), reverse=not wanted.ascending)
    lead, length = _shortest(here, terms)
    terms.remove(lead)
    found = set(page.walk(lead, terms))
    if length <= SHORT:
        found |= set(page.walk_to_targets(lead, terms))
    else:
        found |= set(page.walk_references([lead, *terms]))
    return sorted(found, reverse=not wanted.ascending)[: wanted.limit + 1]


def _shortest(here: sql.Here, terms: Sequence[Term]) -> tuple[Term, int]:
    """Return the shortest list and its length, or how far was counted where all are longer.

    None is counted further than the shortest so far; a single one no further than what is short.
    """
    lead, length = terms[0], COUNTED_MOST if len(terms) > 1 else SHORT + 1
    for term in terms:
        counted = term.count(here, length)
        if counted < length:
            lead, length = term, counted
    return lead, length


def _terms(here: sql.Here, wanted: Wanted) -> list[Term] | None:
    """Return the filters, or None where something is asked for that was never stored."""
    terms = []
    if wanted.registration is not None:
        terms.append(lists.registration(wanted.registration))
    if wanted.agent is not None:
        row_id = _find_id(here, "xapi_agent", wanted.agent)
        if row_id is None:
            return None
        terms.append(lists.agent(row_id, wanted.related_agents))
    if wanted.activity is not None:
        row_id = _find_id(here, "xapi_activity", digest(wanted.activity))
        if row_id is None:
            return None
        terms.append(lists.activity(row_id, wanted.related_activities))
    if wanted.verb is not None:
        row_id = _find_id(here, "xapi_verb", digest(wanted.verb))
        if row_id is None:
            return None
        terms.append(lists.verb(row_id))
    return terms


def _find_id(here: sql.Here, table: str, key: str) -> int | None:
    query = f"SELECT id FROM {table} WHERE key = {{one}}"  # noqa: S608 - our own names
    row = here.execute(query, key).fetchone()
    return None if row is None else int(row[0])


def _own(here: sql.Here, key: str) -> Term:
    """Return the statements that name the authority which alone may be shown."""
    return lists.agent(_find_id(here, "xapi_agent", key) or -1, related=True)


def _last_stored_by(here: sql.Here, moment: dt.datetime) -> int:
    """Return the highest row id stored at or before `moment` (ids and `stored` share one order)."""
    told = here.to_driver(sql.statements.c.stored)(moment)
    row = here.execute(_FIND_LAST_BY, told).fetchone()
    return 0 if row is None else int(row[0])


class _Page:
    """Where the page lies, and the queries that walk to it."""

    def __init__(self, here: sql.Here, wanted: Wanted) -> None:
        self._here = here
        self._limit = wanted.limit + 1
        self._order = "ASC" if wanted.ascending else "DESC"
        self._own = None if wanted.own is None else _own(here, wanted.own)
        low = None if wanted.since is None else _last_stored_by(here, wanted.since)
        high = None if wanted.until is None else _last_stored_by(here, wanted.until) + 1
        if wanted.after is not None:
            if wanted.ascending:
                low = wanted.after if low is None else max(low, wanted.after)
            else:
                high = wanted.after if high is None else min(high, wanted.after)
        self._low, self._high = low, high

    def walk(self, lead: Term, others: Sequence[Term]) -> list[int]:
        """Return the ids of statements that match by themselves."""
        found: set[int] = set()
        for one in lead.walks:
            query = _Query(one.source, one.condition, one.values)
            query.look(others, one.place)
            found |= set(self._run(query, one.place, f"SELECT {one.place}"))
        return list(found)

    def walk_to_targets(self, lead: Term, others: Sequence[Term]) -> list[int]:
        """Return the ids of those that target one that matches, found from a short list of these."""
        found: set[int] = set()
        for one in lead.walks:
            query = _Query(
                f"{one.source} CROSS JOIN xapi_reference AS r", one.condition, one.values
            )
            query.add(f"r.target = {one.place}")
            query.look(others, one.place)
            self._shield(query, one.place)
            found |= set(self._run(query, "r.source", "SELECT DISTINCT r.source"))
        return list(found)

    def walk_references(self, terms: Sequence[Term]) -> list[int]:
        """Return the ids of those that target one that matches, found from all references."""
        query = _Query("xapi_reference AS r", "TRUE", ())
        query.look(terms, "r.target")
        self._shield(query, "r.target")
        return self._run(query, "r.source", "SELECT DISTINCT r.source")

    def _shield(self, query: _Query, target: str) -> None:
        """Follow no reference to, or through, what may not be shown.

        Whoever knows the id of such a statement could else ask about it.
        """
        if self._own is not None:
            query.look([self._own], target)
            query.add(
                "NOT EXISTS (SELECT 1 FROM xapi_reference AS m "  # noqa: S608 - our own names
                "JOIN xapi_reference AS n ON n.source = m.target "
                f"WHERE m.source = r.source AND n.target = {target} "
                f"AND NOT {self._own.holds('m.target')})",
                *self._own.values,
            )

    def _run(self, query: _Query, place: str, select_: str) -> list[int]:
        """Narrow to what is time and sequence, and to what may be shown; order, and run."""
        if self._low is not None:
            query.add(f"{place} > {{one}}", self._low)
        if self._high is not None:
            query.add(f"{place} < {{one}}", self._high)
        if self._own is not None:
            query.look([self._own], place)
        query.add(lists.is_shown(place))
        text = (
            f"{select_} FROM {query.source} WHERE {' AND '.join(query.conditions)} "
            f"ORDER BY {place} {self._order} LIMIT {{one}}"
        )
        return [row[0] for row in self._here.execute(text, *query.values, self._limit).fetchall()]


class _Query:
    """A query that is being put together: conditions, and their values in the same order."""

    def __init__(self, source: str, condition: str, values: Sequence[Any]) -> None:
        self.source = source
        self.conditions = [condition]
        self.values = list(values)

    def add(self, condition: str, *values: Any) -> None:
        """Narrow."""
        self.conditions.append(condition)
        self.values += values

    def look(self, terms: Sequence[Term], place: str) -> None:
        """Narrow to what is in all of these lists."""
        for term in terms:
            self.add(term.holds(place), *term.values)
