"""The bulk-filled store is one that storing could have made."""

from __future__ import annotations

import orjson
from flask import Flask
from sqlalchemy import func, select

from lms.db import db
from tests.benchmarks.filler import fill
from xapi.lrs import browse
from xapi.lrs.browse import Sought
from xapi.lrs.models import (
    LrsActivity,
    LrsAgent,
    LrsStatement,
    LrsStatementActivity,
    LrsStatementAgent,
)
from xapi.lrs.parts import find_agent_key, parts_of
from xapi.lrs.query import Wanted, find_page
from xapi.lrs.validate import check_statement


def test_what_is_filled_in_bulk_is_what_storing_would_store(app: Flask) -> None:
    filled = fill(1200)
    assert db.session.scalar(select(func.count()).select_from(LrsStatement)) == 1200
    rows = browse.find(Sought(voided=True)).rows
    assert [row.id for row in rows] == list(range(1200, 1150, -1))
    for row in rows:
        told = orjson.loads(row.text)
        check_statement(told, 1, "")
        parts = parts_of(told)
        for link, model, column, keys in (
            (LrsStatementAgent, LrsAgent, LrsStatementAgent.agent_id, parts.agents),
            (
                LrsStatementActivity,
                LrsActivity,
                LrsStatementActivity.activity_id,
                parts.activities,
            ),
        ):
            linked = select(model.key, link.direct).join(link, column == model.id)
            found = {
                one.key: one.direct
                for one in db.session.execute(linked.where(link.statement == row.id))
            }
            assert found == {key: direct for key, (_how, direct) in keys.items()}
    authority = orjson.loads(rows[0].text)["authority"]
    related = Wanted(agent=find_agent_key(authority), related_agents=True, limit=500)
    assert len(find_page(related).texts) == 500
    assert len(find_page(Wanted(registration=filled.registration)).texts) > 0
    assert len(browse.find(Sought(verb=filled.rare_verb)).rows) == 2
