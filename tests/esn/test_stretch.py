"""The best stretch of days, against an oracle that tries every one."""

from __future__ import annotations

import datetime as dt

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from esn.models import Account, Connector, Usage
from lms import clock
from lms.db import db
from lms.evidence import Filter, Window, get_measure
from tests.factories.esn import make_connector
from tests.factories.people import make_person

# (day, who was answered, in which group)
acts = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4), st.integers(0, 2)), max_size=40)
KEYS = {"esn.recipients": 1, "esn.groups": 2, "esn.days": 0}


def oracle(slug: str, rows: list[tuple[int, int, int]], days: int) -> int:
    best = 0
    for last, _who, _group in rows:
        inside = [row for row in rows if last - days < row[0] <= last]
        found = len(inside) if slug == "esn.acts" else len({row[KEYS[slug]] for row in inside})
        best = max(best, found)
    return best


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(rows=acts, days=st.integers(1, 45), slug=st.sampled_from([*KEYS, "esn.acts"]))
def test_any_stretch(app: Flask, rows: list[tuple[int, int, int]], days: int, slug: str) -> None:
    connector = db.session.query(Connector).first()
    if connector is None:
        connector, _secret = make_connector()
        person = make_person()
        for number in range(6):
            account = Account(connector_id=connector.id, key=f"a{number}")
            account.person_id = person.id if number == 5 else None
            db.session.add(account)
        db.session.commit()
    accounts = {one.key: one for one in db.session.query(Account)}
    me = accounts["a5"]
    db.session.execute(delete(Usage))
    start = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
    values = [
        {
            "connector_id": connector.id,
            "event_key": f"e{number}",
            "occurred_at": start + dt.timedelta(days=day),
            "day": clock.day_number(start) + day,
            "account_id": me.id,
            "person_id": me.person_id,
            "verb": "replied",
            "recipient_id": accounts[f"a{who}"].id,
            "group_key": f"g{group}",
        }
        for number, (day, who, group) in enumerate(rows)
    ]
    if values:
        db.session.execute(insert(Usage), values)
    select = get_measure(slug).values(Window(within_days=days), Filter())
    found = dict(db.session.execute(select).tuples().all())
    assert found.get(me.person_id or 0, 0) == oracle(slug, rows, days)
    db.session.rollback()
