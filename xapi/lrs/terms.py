"""The ids of agents, activities and verbs: found, or made, for a whole batch at once.

What was seen before is remembered by this process, once it is committed: most batches name
nothing new and ask nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from lms.db import db, on_commit
from xapi.lrs import sql
from xapi.lrs.models import LrsActivity, LrsAgent, LrsVerb
from xapi.lrs.parts import Parts, digest, find_identifier

REMEMBERED = 50_000


@dataclass(slots=True)
class Ids:
    """Row ids: agents and activities by key, verbs by IRI."""

    agents: dict[str, int]
    activities: dict[str, int]
    verbs: dict[str, int]


class Memory:
    """What this process knows of committed rows: key to (row id, digest of what was merged)."""

    def __init__(self) -> None:
        self.agents: dict[str, tuple[int, Any]] = {}
        self.activities: dict[str, tuple[int, Any]] = {}
        self.verbs: dict[str, tuple[int, Any]] = {}


def memory() -> Memory:
    """Return the present app's memory."""
    found: Memory = current_app.extensions.setdefault("xapi.terms", Memory())
    return found


def forget() -> None:
    """Forget everything; for whoever removes rows."""
    current_app.extensions["xapi.terms"] = Memory()


def ids_of(batch: Sequence[Parts]) -> Ids:
    """Return the ids of all that a batch names; makes rows, and merges what is new about them."""
    known = memory()
    agents: dict[str, dict[str, Any]] = {}
    activities: dict[str, dict[str, Any]] = {}
    verbs: dict[str, dict[str, Any]] = {}
    for parts in batch:
        for found in (parts.related_agents, parts.direct_agents):
            for key, agent in found.items():
                if key not in agents or "name" in agent:
                    agents[key] = agent
        for found in (parts.related_activities, parts.direct_activities):
            for key, activity in found.items():
                definition = activity.get("definition") or {}
                before = activities.get(key)
                if before is None:
                    activities[key] = {"iri": activity["id"], "merged": definition}
                elif definition and before["merged"] != definition:
                    before["merged"] = merge(before["merged"], definition)
        iri = parts.verb["id"]
        display = parts.verb.get("display") or {}
        told = verbs.get(iri)
        if told is None:
            verbs[iri] = {"iri": iri, "merged": display}
        elif display and told["merged"] != display:
            told["merged"] = {**told["merged"], **display}
    return Ids(
        agents=_agents(agents, known),
        activities=_resolve(
            LrsActivity,
            sql.find_activities,
            LrsActivity.definition,
            activities,
            known.activities,
            merge,
        ),
        verbs=_verbs(verbs, known),
    )


def merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition with what the newer one says; languages and extensions are added."""
    merged = dict(old)
    for name, value in new.items():
        if name in ("name", "description", "extensions") and isinstance(value, dict):
            merged[name] = {**merged.get(name, {}), **value}
        else:
            merged[name] = value
    return merged


def _verbs(wanted: dict[str, dict[str, Any]], known: Memory) -> dict[str, int]:
    by_key = {digest(iri): value for iri, value in wanted.items()}
    ids = _resolve(
        LrsVerb,
        sql.find_verbs,
        LrsVerb.display,
        by_key,
        known.verbs,
        lambda old, new: {**old, **new},
    )
    return {value["iri"]: ids[key] for key, value in by_key.items()}


def _agents(wanted: dict[str, dict[str, Any]], known: Memory) -> dict[str, int]:
    found = {key: known.agents[key] for key in wanted if key in known.agents}
    changed = {
        key: agent
        for key, agent in wanted.items()
        if key not in found or agent.get("name") not in (None, found[key][1])
    }
    if changed:
        keys = sorted(changed)
        _insert_missing(
            LrsAgent,
            [
                {"key": key, "identifier": find_identifier(changed[key]), "name": None}
                for key in keys
            ],
        )
        rows = sql.connection().execute(sql.find_agents, {"keys": keys}).all()
        learned = {}
        for row in rows:
            name = changed[row.key].get("name") or row.value
            if name != row.value:
                db.session.execute(update(LrsAgent).where(LrsAgent.id == row.id).values(name=name))
            learned[row.key] = (row.id, name)
        found |= learned
        _remember(known.agents, learned)
    return {key: row_id for key, (row_id, _) in found.items()}


def _resolve(
    model: Any,
    find: Any,
    column: Any,
    wanted: dict[str, dict[str, Any]],
    known: dict[str, tuple[int, Any]],
    combine: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]],
) -> dict[str, int]:
    """Return row ids by key; `wanted` has the IRI and what is to be merged into `column`."""
    ids: dict[str, int] = {}
    asked: dict[str, Any] = {}
    for key, value in wanted.items():
        told = orjson.dumps(value["merged"]) if value["merged"] else b""
        before = known.get(key)
        if before is not None and told in (b"", before[1]):
            ids[key] = before[0]
        else:
            asked[key] = told
    if not asked:
        return ids
    keys = sorted(asked)
    _insert_missing(
        model,
        [
            {"key": key, "iri": wanted[key]["iri"], column.key: wanted[key]["merged"]}
            for key in keys
        ],
    )
    rows = sql.connection().execute(find, {"keys": keys}).all()
    for row in rows:
        merged = combine(row.value, wanted[row.key]["merged"])
        if merged != row.value:
            db.session.execute(update(model).where(model.id == row.id).values({column.key: merged}))
        ids[row.key] = row.id
    _remember(known, {row.key: (row.id, asked[row.key]) for row in rows})
    return ids


def _insert_missing(model: Any, rows: list[dict[str, Any]]) -> None:
    """Insert rows whose key is new, in sorted order, so that no two writers wait for each other."""
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(sql.table_of(model)).on_conflict_do_nothing(index_elements=["key"])
    sql.connection().execute(statement, rows)


def _remember(known: dict[str, tuple[int, Any]], learned: dict[str, tuple[int, Any]]) -> None:
    def keep() -> None:
        if len(known) > REMEMBERED:
            known.clear()
        known.update(learned)

    on_commit(keep)


def labels(texts: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the displays of verbs by IRI."""
    rows = db.session.execute(
        select(LrsVerb.iri, LrsVerb.display).where(
            LrsVerb.key.in_(sorted({digest(iri) for iri in texts}))
        )
    )
    return {row.iri: row.display for row in rows}
