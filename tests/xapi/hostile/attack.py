"""One hostile request, and what must be true after it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import func, select

from lms.db import db
from tests.xapi.lrs import Provider, statement

STORES = ("xapi_", "lms_")  # an attack may leave a trace in neither
COUNTS = "lms_tries"  # but that somebody showed a wrong key


@dataclass(frozen=True, slots=True)
class Attack:
    """A request, the status it must get, and the words its refusal must hold."""

    name: str
    says: str
    status: int = 400
    method: str = "POST"
    path: str = "statements"
    send: dict[str, Any] = field(default_factory=dict)


def json_body(body: bytes, **headers: str) -> dict[str, Any]:
    """Return what sends these bytes as JSON."""
    return {"data": body, "headers": {"Content-Type": "application/json", **headers}}


def count_rows() -> dict[str, int]:
    """Return how many rows each table of the store and of the kernel has."""
    db.session.rollback()
    counts = {
        name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for name, table in db.metadata.tables.items()
        if name.startswith(STORES) and name != COUNTS
    }
    db.session.rollback()
    assert "xapi_statement" in counts
    return counts


def withstand(lrs: Provider, attack: Attack, caplog: pytest.LogCaptureFixture) -> None:
    """Send the attack; it is refused in words, changes no row, logs nothing, and work goes on."""
    before = count_rows()
    caplog.clear()
    with caplog.at_level(logging.INFO):
        answer = lrs.ask(attack.method, attack.path, **attack.send)
    assert answer.status_code == attack.status, (answer.status_code, answer.text[:500])
    assert answer.content_type == "application/json"
    if attack.method != "HEAD":
        assert set(answer.json) == {"error"}
        assert attack.says in answer.json["error"]
        assert len(answer.data) < 2000, "a stranger's words are not given back whole"
    assert [record.getMessage() for record in caplog.records] == []
    assert count_rows() == before
    sound = statement()
    assert lrs.post(sound) == [sound["id"]]
