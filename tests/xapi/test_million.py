"""The rows that benchmarks fill a million statements with are those that the store makes."""

from __future__ import annotations

from typing import Any

from flask import Flask

from lms.db import db
from tests.benchmarks import million
from xapi.lrs.credentials import authority_of
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
    for query, one, other in zip(QUERIES, own, filled, strict=True):
        assert one == other, query
