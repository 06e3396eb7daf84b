"""Filters as lists: the row ids of an agent's, an activity's, a verb's or a registration's statements.

Each list lies in an index, in order. It can be walked, and it can be looked into for one id. The
SQL is pinned down where a database would rather read the statements themselves, whose rows are a
hundred times as wide as the entries of these indexes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xapi.lrs import sql

# OFFSET keeps PostgreSQL from making a join of it: with a LIMIT around, looking is what is wanted.
_ONE = "LIMIT 1 OFFSET 0"


@dataclass(frozen=True, slots=True)
class Walk:
    """A list in order: what to select from, the column of the row ids, what narrows to the list."""

    source: str
    place: str
    condition: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A filter. `walks` together are its list (direct and related ones lie apart).

    look: the condition that an id is in the list, {place} being the id.
    """

    walks: tuple[Walk, ...]
    look: str
    values: tuple[Any, ...]

    def holds(self, place: str) -> str:
        """Return the condition that the statement with this row id matches."""
        return self.look.replace("{place}", place)

    def count(self, here: sql.Here, most: int) -> int:
        """Return how long the list is, or `most` where it is longer."""
        found = 0
        for walk in self.walks:
            query = (
                f"SELECT count(*) FROM (SELECT 1 FROM {walk.source} WHERE {walk.condition} "  # noqa: S608 - our own names
                "LIMIT {one}) AS counted"
            )
            found += here.execute(query, *walk.values, most - found).fetchone()[0]
            if found >= most:
                break
        return found


EVERYTHING = Term((Walk("xapi_statement AS s", "s.id", "TRUE", ()),), "TRUE", ())


def agent(row_id: int, related: bool) -> Term:
    """Return the statements of an agent: as actor or object, or wherever it is named."""
    return _linked("xapi_statement_agent", "agent_id", row_id, related)


def activity(row_id: int, related: bool) -> Term:
    """Return the statements of an activity: as object, or wherever it is named."""
    return _linked("xapi_statement_activity", "activity_id", row_id, related)


def verb(row_id: int) -> Term:
    """Return the statements with a verb."""
    return _plain("verb_id", "{by_verb}", row_id)


def registration(value: str) -> Term:
    """Return the statements of a registration."""
    return _plain("registration", "{by_registration}", value)


def is_shown(place: str) -> str:
    """Return the condition that a statement is not voided; from an index of those that are."""
    return (
        "NOT EXISTS (SELECT 1 FROM xapi_statement AS v {by_voided} "  # noqa: S608 - our own names
        f"WHERE v.id = {place} AND v.voided {_ONE})"
    )


def _linked(table: str, column: str, row_id: int, related: bool) -> Term:
    states = (True, False) if related else (True,)
    walks = tuple(
        Walk(
            f"{table} AS l",
            "l.statement",
            f"l.{column} = {{one}} AND l.direct = {{one}}",
            (row_id, state),
        )
        for state in states
    )
    looks = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} AS p WHERE p.{column} = {{one}} AND p.direct = {{one}} "  # noqa: S608 - our own names
        f"AND p.statement = {{place}} {_ONE})"
        for _ in states
    )
    return Term(walks, f"({looks})", tuple(value for walk in walks for value in walk.values))


def _plain(column: str, index: str, value: Any) -> Term:
    return Term(
        (Walk(f"xapi_statement AS s {index}", "s.id", f"s.{column} = {{one}}", (value,)),),
        f"EXISTS (SELECT 1 FROM xapi_statement AS p {index} WHERE p.{column} = {{one}} "  # noqa: S608 - our own names
        f"AND p.id = {{place}} {_ONE})",
        (value,),
    )
