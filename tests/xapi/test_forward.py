"""What other systems stored in the built-in store goes on to a target that wants it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import select
from tincan.http_request import HTTPRequest

from lms.db import db
from lms.jobs.queue import queue as jobs
from lms.jobs.queue import run_pending
from tests.factories.people import make_person
from tests.xapi.lrs import Provider, statement
from tests.xapi.test_delivery import FakeLrs, count, record
from xapi import targets as targets_module
from xapi.delivery import forward
from xapi.delivery.outcome import Outcome, Verdict
from xapi.delivery.remote import RemoteTarget
from xapi.delivery.target import Waiting
from xapi.delivery.transport import NoAnswer, PooledLRS
from xapi.lrs import multipart
from xapi.lrs.models import LrsCredential
from xapi.outbox import stores
from xapi.outbox.models import Forward, Store
from xapi.targets import SEND


class Fake(FakeLrs):
    """A record store that was added by an administrator, without the wire."""

    def __init__(self) -> None:
        super().__init__(lambda _ids: None)
        self.got: list[Waiting] = []

    def send(self, batch: Sequence[Waiting]) -> Outcome:
        outcome = super().send(batch)
        if outcome.verdict is Verdict.DELIVERED:
            self.got += batch
        return outcome


@pytest.fixture
def fake(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()

    def as_target(store: Store) -> Any:
        made.name = store.name
        return made

    monkeypatch.setattr(targets_module, "as_target", as_target)
    return made


def add(**more: Any) -> Store:
    made = stores.add(
        "Everything", "https://lrs.example.test/", "k", "s", "1.0.3", everything=True, **more
    )
    db.session.commit()
    return made


def go() -> None:
    db.session.commit()
    jobs().wake(SEND)
    run_pending()


def test_what_others_store_goes_on_and_what_ropes_records_goes_once(app: Flask, fake: Fake) -> None:
    make_person()
    other = Provider(app)
    before = statement()
    other.post(before)
    add()
    late = [statement(version="1.0.0"), statement()]
    other.post(late)
    ours = record(3)
    go()
    go()
    assert sorted(fake.held) == sorted([*ours, *(one["id"] for one in late)])
    assert before["id"] not in fake.held  # stored before the target was there
    forwarded = [orjson.loads(one.text) for one in fake.got if one.forwarded]
    for one in forwarded:
        assert not {"authority", "stored", "version"} & one.keys()
        assert one["timestamp"]
    assert count(Forward) == 0


def test_what_came_from_there_is_not_sent_back(app: Flask, fake: Fake) -> None:
    there, other = Provider(app), Provider(app)
    uid = db.session.scalar(select(LrsCredential.uid).where(LrsCredential.key == there.key))
    add(but_not=uid or "")
    there.post(statement())
    wanted = statement()
    other.post(wanted)
    go()
    assert fake.held == [wanted["id"]]


def test_what_is_refused_is_set_aside_and_sent_again(app: Flask, fake: Fake) -> None:
    store = add()
    bad = statement()
    sent = [statement(), bad, statement()]
    Provider(app).post(sent)
    refused = Outcome(Verdict.REFUSED, 400, "not that one")
    fake.answer = lambda ids: refused if bad["id"] in ids else None
    go()
    assert len(fake.held) == 2
    assert forward.counts() == {store.name: (0, 1)}
    fake.answer = lambda _ids: None
    assert forward.send_again(store.name) == 1
    go()
    assert len(fake.held) == 3
    assert forward.counts() == {}


def test_a_thousand_go_on_in_the_order_in_which_they_were_stored(app: Flask, fake: Fake) -> None:
    add()
    other = Provider(app)
    sent = []
    for _ in range(6):
        batch = [statement() for _ in range(60)]
        other.post(batch)
        sent += [one["id"] for one in batch]
    go()
    assert fake.held == sent


def test_attachments_go_along(app: Flask, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    add()
    data = b"a scan of the badge"
    sha2 = hashlib.sha256(data).hexdigest()
    sent = statement(
        attachments=[
            {
                "usageType": "http://example.test/usage",
                "display": {"en": "Scan"},
                "contentType": "text/plain",
                "length": len(data),
                "sha2": sha2,
            }
        ]
    )
    body, media_type = multipart.write(orjson.dumps(sent), [(sha2, "text/plain", data)])
    answer = Provider(app).ask("POST", data=body, headers={"Content-Type": media_type})
    assert answer.status_code == 200, answer.text
    go()
    [got] = fake.got
    assert got.attached == ((sha2, "text/plain", data),)
    # As it goes over the wire, another store takes it.
    said: list[HTTPRequest] = []

    def overhear(_lrs: PooledLRS, request: HTTPRequest) -> None:
        said.append(request)
        raise NoAnswer

    monkeypatch.setattr(PooledLRS, "_send_request", overhear)
    RemoteTarget("http://127.0.0.1:9/", "k", "s", "1.0.3", 1.0).send([got])
    parts = multipart.read_parts(said[0].content, said[0].headers["Content-Type"])
    assert orjson.loads(bytes(parts[0][1]))[0]["id"] == sent["id"]
    assert multipart.read_attachments(parts[1:]) == {sha2: ("text/plain", data)}
