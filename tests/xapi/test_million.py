"""The rows that benchmarks fill a million statements with are those that the store makes."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import orjson
import pytest
from flask import Flask

from lms.db import db
from tests.benchmarks import million
from xapi.lrs import query
from xapi.lrs.credentials import authority_of
from xapi.lrs.keys import digest, find_agent_key
from xapi.lrs.parts import parts_of
from xapi.lrs.query import Wanted
from xapi.lrs.store import prepare, store

SAMPLE = 3_000
QUERIES = (
    "SELECT s.statement_id, v.iri, s.registration, s.refers_to, s.voiding, s.voided "
    "FROM xapi_statement s JOIN xapi_verb v ON v.id = s.verb_id ORDER BY s.id",
    "SELECT s.statement_id, a.key, l.direct FROM xapi_statement_agent l "
    "JOIN xapi_agent a ON a.id = l.agent_id JOIN xapi_statement s ON s.id = l.statement ORDER BY 1, 2",
    "SELECT s.statement_id, a.key, l.direct FROM xapi_statement_activity l "
    "JOIN xapi_activity a ON a.id = l.activity_id JOIN xapi_statement s ON s.id = l.statement "
    "ORDER BY 1, 2",
    "SELECT source, target FROM xapi_reference ORDER BY 1, 2",
    "SELECT key, identifier FROM xapi_agent ORDER BY key",
    "SELECT key, iri, definition FROM xapi_activity ORDER BY key",
)


def rows() -> list[Any]:
    """Return all that is stored, ids of ours left out, and take it back where it is not committed."""
    found = [
        [tuple(row) for row in db.session.connection().exec_driver_sql(query)] for query in QUERIES
    ]
    db.session.rollback()
    return found


def test_bulk_rows_are_the_stores_own(app: Flask) -> None:
    authority = dict(authority_of("bench"))
    stored = prepare(list(million.statements(SAMPLE)), authority, 1)
    store(stored)
    own = rows()
    million.fill(SAMPLE, authority)
    filled = rows()
    assert len(filled[0]) == SAMPLE
    assert any(row[5] for row in filled[0])  # voided ones are among them
    for asked, one, other in zip(QUERIES, own, filled, strict=True):
        assert one == other, asked


@pytest.mark.parametrize(("short", "counted"), [(1_000, 20_000), (10, 60), (0, 1)])
def test_whichever_list_is_walked_the_same_statements_are_found(
    app: Flask, monkeypatch: pytest.MonkeyPatch, short: int, counted: int
) -> None:
    monkeypatch.setattr(query, "SHORT", short)
    monkeypatch.setattr(query, "COUNTED_MOST", counted)
    million.fill(SAMPLE, dict(authority_of("bench")))
    told = dict(enumerate(million.statements(SAMPLE), 1))
    targets = {
        number: uuid.UUID(one["object"]["id"]).int & 0xFFFFFFFFFFFF
        for number, one in told.items()
        if one["object"]["objectType"] == "StatementRef"
    }
    voided = {
        targets[number]
        for number, one in told.items()
        if one["verb"]["id"] == million.VOIDED
        and told[targets[number]]["verb"]["id"] != million.VOIDED
    }
    busy, often = find_agent_key(million.person(0)), million.verb_iri("answered")
    course = f"{million.HOME}/activities/courses/0"
    for wanted in (
        Wanted(agent=busy),
        Wanted(verb=often),
        Wanted(verb=million.COMMENTED),
        Wanted(registration=million.registration(0, 0)),
        Wanted(activity=course, related_activities=True),
        Wanted(agent=busy, verb=often),
        Wanted(agent=busy, related_agents=True, activity=course, related_activities=True),
        Wanted(verb=often, activity=course, related_activities=True, ascending=True),
        Wanted(agent=busy, verb=million.verb_iri("passed"), activity=million.EVERY["id"],
               related_activities=True),
    ):  # fmt: skip
        matching = {number for number, one in told.items() if matches(one, wanted)}
        for number in sorted(targets):  # who targets does so backward
            if targets[number] in matching:
                matching.add(number)
        expected = [told[number]["id"] for number in sorted(matching - voided)]
        found: list[str] = []
        after = None
        while True:
            page = query.find_page(dataclasses.replace(wanted, after=after, limit=70))
            found += [orjson.loads(text)["id"] for text in page.texts]
            after = page.after
            if after is None:
                break
        assert found == (expected if wanted.ascending else expected[::-1]), wanted
        assert found


def matches(one: dict[str, Any], wanted: Wanted) -> bool:
    """Tell whether a statement matches by itself, by reading it."""
    parts = parts_of(one)
    agent, activity = parts.agents.get(wanted.agent or ""), None
    if wanted.activity is not None:
        activity = parts.activities.get(digest(wanted.activity))
    return (
        (wanted.agent is None or (agent is not None and (agent[1] or wanted.related_agents)))
        and (
            wanted.activity is None
            or (activity is not None and (activity[1] or wanted.related_activities))
        )
        and wanted.verb in (None, one["verb"]["id"])
        and wanted.registration in (None, parts.registration)
    )
