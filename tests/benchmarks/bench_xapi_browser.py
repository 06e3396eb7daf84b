"""The statement browser over a million statements."""

from __future__ import annotations

import gc
import re
import time
from typing import Any

from flask import current_app
from sqlalchemy import insert, text

from lms.db import db
from lms.people.models import Identity, Person, new_uid
from lms.people.names import folded
from tests.benchmarks import beside, million
from tests.benchmarks.harness import Place, Result, benchmark, cpu_ms
from xapi.lrs.credentials import authority_of
from xapi.lrs.keys import digest

COUNT = 1_000_000
PAGE = 51
# Beside each page: the same statements asked for by hand, texts included.
_BY_ID = "SELECT id, statement_id, stored, voided, text FROM xapi_statement WHERE NOT voided"
_BY_PERSON = (
    "SELECT s.id, s.statement_id, s.stored, s.voided, s.text FROM xapi_statement_agent l"
    " JOIN xapi_statement s ON s.id = l.statement WHERE l.direct AND NOT s.voided"
    " AND l.agent_id = (SELECT id FROM xapi_agent WHERE key = :person)"
)


def fill() -> list[str]:
    """Fill the store with what people of the directory did; return their uids."""
    uids = [new_uid() for _ in range(million.PEOPLE)]
    db.session.execute(insert(Person), [{"uid": uid, "active": True} for uid in uids])
    ids = {row.uid: row.id for row in db.session.query(Person.uid, Person.id)}
    names = [f"Person {number:04d}" for number in range(len(uids))]
    db.session.execute(
        insert(Identity),
        [
            {
                "person_id": ids[uid],
                "display_name": name,
                "sort_name": folded(name),
                "fs_uniquifier": new_uid(),
            }
            for uid, name in zip(uids, names, strict=True)
        ],
    )
    db.session.commit()
    home = current_app.config["LMS_HOME_PAGE"]

    def who_is(number: int) -> dict[str, Any]:
        return {"objectType": "Agent", "account": {"homePage": home, "name": uids[number]}}

    million.fill(COUNT, authority_of("ropes"), who_is)
    return uids


def searches(uid: str, person_key: str) -> dict[str, tuple[str, str, dict[str, object]]]:
    """Return what is measured: address and, by hand, the same query."""
    since, until = (million.stored_at(int(COUNT * part)) for part in (0.4, 0.5))
    days = f"since={since.date()}&until={until.date()}"
    person = f"/xapi/browser/person/{uid}"
    rare, seldom = digest(million.RARE), digest(million.verb_iri("mentioned"))
    question = digest(million.question_iri(0, 7))
    verb = " AND verb_id = (SELECT id FROM xapi_verb WHERE key = :verb)"
    activity = _BY_PERSON.replace("agent", "activity").replace(":person", ":activity")
    between = " AND stored >= :since AND stored < :until"
    limits = {"since": since, "until": until}
    newest, oldest = f" ORDER BY id DESC LIMIT {PAGE}", f" ORDER BY id LIMIT {PAGE}"
    by_link = f" ORDER BY l.statement DESC LIMIT {PAGE}"
    who = {"person": person_key}
    return {
        "none": ("/xapi/browser", _BY_ID + newest, {}),
        "person": (person, _BY_PERSON + by_link, who),
        "verb": (
            f"/xapi/browser?verb={rare}",
            _BY_ID + verb + newest,
            {"verb": rare},
        ),
        "activity": (
            f"/xapi/browser?activity={question}",
            activity + by_link,
            {"activity": question},
        ),
        "person and verb": (
            f"{person}?verb={seldom}",
            _BY_PERSON + verb + by_link,
            {**who, "verb": seldom},
        ),
        "activity and verb": (
            f"/xapi/browser?activity={question}&verb={seldom}",
            activity + verb + by_link,
            {"activity": question, "verb": seldom},
        ),
        "time": (f"/xapi/browser?{days}", _BY_ID + between + newest, dict(limits)),
        "last page": ("/xapi/browser?after=0", _BY_ID + oldest, {}),
    }


@benchmark("xapi.browser", unit="ms CPU", target_ratio=40)
def browser(place: Place) -> Result:
    """The slowest of eight searches among a million statements, each beside its query by hand."""
    app = place.make_app()
    start = time.perf_counter()
    uids = fill()
    took = time.perf_counter() - start
    admin = Person(is_administrator=True, identity=Identity(display_name="Jonas Brandt"))
    db.session.add(admin)
    db.session.commit()
    assert admin.identity is not None
    key = admin.identity.fs_uniquifier
    who = db.session.execute(
        text("SELECT key FROM xapi_agent WHERE identifier LIKE :uid"),
        {"uid": f"%{uids[7]}%"},
    ).scalar_one()
    db.session.remove()
    gc.collect()
    gc.freeze()  # as wsgi.py does
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = key
    notes: dict[str, str] = {"filled in": f"{took:.0f} s"}
    worst = (0.0, "")
    with db.engine.connect() as connection:
        for name, (address, by_hand, values) in searches(uids[7], who).items():
            page = client.get(address)
            assert page.status_code == 200, address
            shown = len(re.findall(r'class="xapi-when', page.text))
            rows = connection.execute(text(by_hand), values).all()
            connection.rollback()
            assert 0 < min(len(rows), 50) == shown, (name, shown, len(rows))
            query = text(by_hand)
            value = cpu_ms(lambda at=address: client.get(at), times=9, warm_up=1)
            floor = cpu_ms(
                lambda ask=query, with_=values: connection.execute(ask, with_).all(), 9, 1
            )
            connection.rollback()  # the next page writes its line into the audit log
            notes[name] = f"{value:.1f} ms, by hand {floor:.1f} ms, {shown} shown"
            worst = max(worst, (value, name))
    value, name = worst
    return Result(
        value, beside.bare_page_ms(), beside.FLOORS[beside.PAGE], {"slowest": name, **notes}
    )
