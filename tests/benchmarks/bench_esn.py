"""Acts in the network: from the intake's door to rules that were evaluated."""

from __future__ import annotations

import time

from certificates.catalogue import load_library
from esn.connectors.services import add_connector
from esn.models import Usage
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Identity, Person
from tests.benchmarks.harness import Place, Result, benchmark, per_second
from tests.conftest import Browser
from tests.factories.esn import act, deliver

EVENTS = 10_000
IN_A_DELIVERY = 1_000
PEOPLE = 100
IN_A_TRANSACTION = 100


@benchmark("esn.events", unit="events/s", target=1_500, more_is_better=True)
def events(place: Place) -> Result:
    """Signed pushes, ledger, statements that count, and four shipped rules for 100 people."""
    app = place.make_app()
    app.test_client_class = Browser
    client = app.test_client()
    load_library()
    for number in range(PEOPLE):
        person = Person()
        person.identity = Identity(display_name=f"P{number}", email=f"p{number}@example.test")
        db.session.add(person)
    connector, secret = add_connector("webhook", "Square")
    db.session.commit()
    db.session.refresh(connector)
    db.session.expunge(connector)
    accounts = [{"id": f"u{one}", "email": f"p{one}@example.test"} for one in range(PEOPLE)]
    assert deliver(client, connector, secret, accounts=accounts).status_code == 202
    run_pending()
    batches = [
        [
            act(
                f"u{one % PEOPLE}",
                ("posted", "replied", "reacted")[one % 3],
                recipient=f"u{one % 41}",
                group=f"g{one % 9}",
                group_kind="work",
                client="mobile",
            )
            for one in range(start, start + IN_A_DELIVERY)
        ]
        for start in range(0, EVENTS, IN_A_DELIVERY)
    ]
    spent: dict[str, float] = {}

    def run() -> int:
        began = time.perf_counter()
        for batch in batches:
            assert deliver(client, connector, secret, batch).status_code == 202
        spent["intake"] = time.perf_counter() - began
        run_pending()
        return EVENTS

    value = per_second(run)
    rows = [tuple(row) for row in db.session.execute(Usage.__table__.select())]
    assert len(rows) == EVENTS
    db.session.rollback()
    return Result(
        value=value,
        floor=per_second(lambda: _raw(place, rows)),
        floor_is="the same rows into the same table, raw, a hundred in a commit, same mode",
        notes={"answered to the sender, events/s": EVENTS / spent["intake"]},
    )


def _raw(place: Place, rows: list[tuple[object, ...]]) -> int:
    raw = place.raw_sqlite()
    columns = [column.name for column in Usage.__table__.columns]
    raw.execute(f"CREATE TABLE usage ({', '.join(columns)}, UNIQUE (connector_id, event_key))")
    for name in ("account_id", "day", "object_key", "parent_key", "person_id"):
        raw.execute(f"CREATE INDEX ix_{name} ON usage ({name})")
    insert = f"INSERT INTO usage VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
    for start in range(0, len(rows), IN_A_TRANSACTION):
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(
            insert,
            [
                [str(value) if value is not None else None for value in row]
                for row in rows[start : start + IN_A_TRANSACTION]
            ],
        )
        raw.execute("COMMIT")
    return len(rows)
