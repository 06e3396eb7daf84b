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
from sqlalchemy import select

from lms.db import db, on_commit
from xapi.lrs import sql
from xapi.lrs.keys import digest, find_identifier
from xapi.lrs.models import LrsVerb
from xapi.lrs.parts import Parts

REMEMBERED = 50_000
REMEMBERED_BYTES = 2000  # what is told of one; of those with more, nothing is remembered
_NOTHING: dict[str, Any] = {}


@dataclass(slots=True)
class Ids:
    """Row ids: agents and activities by key, verbs by IRI."""

    agents: dict[str, int]
    activities: dict[str, int]
    verbs: dict[str, int]


class Memory:
    """What this process knows of committed rows: key to (row id, what was merged).

    generation: since when no row was removed, see `LrsPlace`.
    """

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.agents: dict[str, tuple[int, Any]] = {}
        self.activities: dict[str, tuple[int, Any]] = {}
        self.verbs: dict[str, tuple[int, Any]] = {}


def memory(generation: int) -> Memory:
    """Return the present app's memory; one of another generation is forgotten.

    generation: as read under the writers' lock, so that nothing is removed meanwhile.
    """
    found: Memory | None = current_app.extensions.get("xapi.terms")
    if found is None or found.generation != generation:
        found = current_app.extensions["xapi.terms"] = Memory(generation)
    return found


def ids_of(here: sql.Here, batch: Sequence[Parts], generation: int) -> Ids:
    """Return the ids of all that a batch names; makes rows, and merges what is new about them.

    The writers' lock is held: nobody else makes the same rows meanwhile.
    """
    known = memory(generation)
    agents: dict[str, dict[str, Any]] = {}
    activities: dict[str, _Term] = {}
    verbs: dict[str, _Term] = {}
    for parts in batch:
        for key, (agent, _) in parts.agents.items():
            if key not in agents or "name" in agent:
                agents[key] = agent
        for key, (activity, _) in parts.activities.items():
            definition = activity.get("definition") or _NOTHING
            before = activities.get(key)
            if before is None:
                activities[key] = _Term(activity["id"], definition)
            elif definition and before.told != definition:
                before.told = merge(before.told, definition)
        iri = parts.verb["id"]
        display = parts.verb.get("display") or _NOTHING
        verb = verbs.get(iri)
        if verb is None:
            verbs[iri] = _Term(iri, display)
        elif display and verb.told != display:
            verb.told = {**verb.told, **display}
    verb_ids = _VERBS.resolve(here, {digest(iri): one for iri, one in verbs.items()}, known.verbs)
    return Ids(
        agents=_agents(here, agents, known),
        activities=_ACTIVITIES.resolve(here, activities, known.activities),
        verbs={iri: verb_ids[digest(iri)] for iri in verbs},
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


def _agents(here: sql.Here, wanted: dict[str, dict[str, Any]], known: Memory) -> dict[str, int]:
    ids: dict[str, int] = {}
    asked: dict[str, dict[str, Any]] = {}
    for key, agent in wanted.items():
        before = known.agents.get(key)
        if before is None or agent.get("name") not in (None, before[1]):
            asked[key] = agent
        else:
            ids[key] = before[0]
    if not asked:
        return ids
    added = {
        key: (orjson.dumps(find_identifier(agent)).decode(), agent.get("name"))
        for key, agent in asked.items()
    }
    learned: dict[str, tuple[int, Any]] = {}
    renamed = []
    for key, row_id, name in _find_or_add(here, sql.FIND_AGENTS, sql.ADD_AGENT, added):
        told = asked[key].get("name")
        if told is not None and told != name:
            renamed.append((told, row_id))
        ids[key] = row_id
        learned[key] = (row_id, name if told is None else told)
    if renamed:
        here.execute_many(sql.NAME_AGENT, sorted(renamed, key=lambda one: one[1]))
    _remember(known.agents, learned)
    return ids


@dataclass(slots=True)
class _Term:
    """An activity or verb: its IRI, and what statements tell of it (definition, display)."""

    iri: str
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How activities, or verbs, are found, added and told more of."""

    find: str
    add: str
    change: str
    combine: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]

    def resolve(
        self, here: sql.Here, wanted: Mapping[str, _Term], known: dict[str, tuple[int, Any]]
    ) -> dict[str, int]:
        """Return row ids by key."""
        ids: dict[str, int] = {}
        asked: dict[str, bytes] = {}
        for key, term in wanted.items():
            before = known.get(key)
            told = orjson.dumps(term.told) if term.told else b""
            if before is not None and told in (b"", before[1]):
                ids[key] = before[0]
            else:
                asked[key] = told
        if not asked:
            return ids
        added = {key: (wanted[key].iri, told.decode() or "{}") for key, told in asked.items()}
        changed = []
        for key, row_id, text in _find_or_add(here, self.find, self.add, added):
            old = orjson.loads(text)
            merged = self.combine(old, wanted[key].told)
            if merged != old:
                changed.append((orjson.dumps(merged).decode(), row_id))
            ids[key] = row_id
        if changed:
            here.execute_many(self.change, sorted(changed, key=lambda one: one[1]))
        _remember(
            known,
            {key: (ids[key], told) for key, told in asked.items() if len(told) <= REMEMBERED_BYTES},
        )
        return ids


_ACTIVITIES = _Kind(sql.FIND_ACTIVITIES, sql.ADD_ACTIVITY, sql.DEFINE_ACTIVITY, merge)
_VERBS = _Kind(sql.FIND_VERBS, sql.ADD_VERB, sql.DISPLAY_VERB, lambda old, new: {**old, **new})


def _find_or_add(
    here: sql.Here, find: str, add: str, wanted: Mapping[str, tuple[Any, ...]]
) -> list[tuple[str, int, Any]]:
    """Return a row (key, id, value) for each key; those that are new are added in sorted order."""
    rows: list[tuple[str, int, Any]] = here.execute(find, list(wanted)).fetchall()
    missing = sorted(wanted.keys() - {row[0] for row in rows})
    if missing:
        here.execute_many(add, [(key, *wanted[key]) for key in missing])
        rows += here.execute(find, missing).fetchall()
    return rows


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
