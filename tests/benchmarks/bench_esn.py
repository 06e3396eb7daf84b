"""Acts in the network: from the intake's door to rules that were evaluated."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, select

from certificates.catalogue import EVALUATE, load_library
from esn.connectors.services import add_connector
from esn.ledger.intake import NORMALISE
from esn.models import Connector, Usage
from lms.db import db
from lms.jobs.queue import queue, run_pending
from lms.people.models import Identity, Person
from tests.benchmarks.harness import Place, Result, benchmark
from tests.benchmarks.raw import raw_insert
from tests.conftest import Browser
from tests.factories.esn import act, deliver
from xapi.outbox.models import OutboxStatement, Pending

EVENTS = 10_000
IN_A_DELIVERY = 1_000
PEOPLE = 100
IN_A_TRANSACTION = 100
# Where the statements go from here is another story: `xapi.*`.
JOBS = (NORMALISE, EVALUATE)
TABLES = (Usage, OutboxStatement, Pending)


@benchmark("esn.events", unit="events/s of CPU", target_ratio=0.25, more_is_better=True)
def events(place: Place) -> Result:
    """Signed pushes, ledger, statements that count, and four shipped rules for 100 people; CPU."""
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
    intake = _cpu_seconds(lambda: _send(client, connector, secret, batches))
    jobs = _cpu_seconds(lambda: [queue().run(name) for name in JOBS])
    assert db.session.scalar(select(func.count(Usage.id))) == EVENTS
    db.session.rollback()
    raw = {one: raw_insert(place, one, IN_A_TRANSACTION) for one in TABLES}
    return Result(
        value=EVENTS / (intake + jobs),
        floor=EVENTS / sum(raw.values()),
        floor_is="the same rows (acts, statements, what waits for the record store), raw, a hundred "
        "in a commit, same mode",
        notes={
            "answered to the sender, events/s": EVENTS / intake,
            "the acts' rows alone, raw, rows/s": EVENTS / raw[Usage],
        },
    )


def _send(client: FlaskClient, connector: Connector, secret: str, batches: list[Any]) -> None:
    for batch in batches:
        assert deliver(client, connector, secret, batch).status_code == 202


def _cpu_seconds(call: Callable[[], object]) -> float:
    gc.collect()
    started = time.process_time()
    call()
    return time.process_time() - started
