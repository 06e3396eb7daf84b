"""What other systems stored in the built-in store goes on to a target that wants it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import select
from tincan.http_request import HTTPRequest

from lms import clock
from lms.db import db
from lms.jobs.queue import queue as jobs
from lms.jobs.queue import run_pending
from tests.factories.people import make_person
from tests.xapi.lrs import Provider, statement
from tests.xapi.test_delivery import FakeLrs, count, record
from tests.xapi.test_remote import LOOPBACK
from xapi import targets as targets_module
from xapi.delivery import backfill, forward
from xapi.delivery.outcome import Outcome, Verdict
from xapi.delivery.remote import RemoteTarget
from xapi.delivery.target import Waiting
from xapi.delivery.transport import NoAnswer, PooledLRS
from xapi.lrs import multipart
from xapi.lrs.discard import discard
from xapi.lrs.models import LrsCredential, LrsStatement
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


def send_since(store: Store, since: dt.datetime | None = None) -> backfill.Progress:
    backfill.start(store.name, since)
    db.session.commit()
    return backfill.progress()[store.name]


def store_days(provider: Provider, days: int, each: int) -> list[str]:
    """Store some statements on each of these days; return their ids, oldest first."""
    found = []
    for day in range(days):
        with clock.travel(clock.now() - dt.timedelta(days=days - day)):
            found += provider.post([statement() for _ in range(each)])
    return found


def test_everything_since_goes_for_what_others_stored(
    app: Flask, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward, "FED_ROWS", 7)
    make_person()
    there, other = Provider(app), Provider(app)
    uid = db.session.scalar(select(LrsCredential.uid).where(LrsCredential.key == there.key)) or ""
    ours = record(4)
    go()
    before = store_days(other, 5, 10)
    there.post([statement() for _ in range(6)])
    store = add(but_not=uid)
    go()
    assert fake.held == []
    how = send_since(store)
    assert (how.total, how.done, how.over) == (54, 0, False)
    meanwhile = other.post([statement() for _ in range(3)])
    go()
    assert sorted(fake.held) == sorted([*ours, *before, *meanwhile])
    assert [one for one in fake.held if one in before] == before  # in their order
    how = backfill.progress()[store.name]
    assert (how.total, how.done, how.percent, how.over, how.stopped) == (54, 54, 100, True, False)
    late = other.post([statement()])
    go()
    assert fake.held[-1] == late[0]
    assert len(fake.held) == len(set(fake.held))


def test_since_a_day_and_from_what_is_there_alone(app: Flask, fake: Fake) -> None:
    """A record store on its own records nothing itself: the past is what others stored."""
    before = store_days(Provider(app), 5, 4)
    store = add()
    how = send_since(store, clock.now() - dt.timedelta(days=2, hours=12))
    assert how.total == 8
    go()
    assert fake.held == before[12:]
    assert backfill.progress()[store.name].over
    assert send_since(store, clock.now() + dt.timedelta(days=1)).total == 0
    go()
    assert backfill.progress()[store.name].over
    assert len(fake.held) == 8


def test_the_past_can_be_left(app: Flask, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "FED_ROWS", 5)
    other = Provider(app)
    before = store_days(other, 2, 20)
    store = add()
    name = store.name  # read here: the sender's thread may not touch this thread's session
    sent = 0

    def answer(_ids: Sequence[str]) -> Outcome | None:
        nonlocal sent
        sent += 1
        if sent == 3:
            backfill.stop(name)
            db.session.commit()
        return None

    fake.answer = answer
    send_since(store)
    go()
    how = backfill.progress()[store.name]
    assert how.stopped
    assert 0 < how.done < 40
    assert fake.held == before[: how.done]
    late = other.post([statement()])
    go()
    assert fake.held == [*before[: how.done], *late]
    # Asked for again, and once more from a later day while that is under way: nothing is left out.
    send_since(store)
    send_since(store, clock.now())
    go()
    assert sorted(set(fake.held)) == sorted([*before, *late])


def test_a_target_without_what_others_store_gets_none_of_it(app: Flask, fake: Fake) -> None:
    make_person()
    store_days(Provider(app), 2, 3)
    ours = record(2)
    store = stores.add("Ours", "https://lrs.example.test/", "k", "s", "1.0.3")
    assert send_since(store).total == 2
    go()
    assert sorted(fake.held) == sorted(ours)


def test_what_is_removed_meanwhile_ends_it_all_the_same(app: Flask, fake: Fake) -> None:
    store_days(Provider(app), 2, 3)
    store = add()
    send_since(store)
    discard(db.session.scalars(select(LrsStatement.id)).all())
    go()
    assert fake.held == []
    assert backfill.progress()[store.name].over


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
    RemoteTarget("http://127.0.0.1:9/", "k", "s", "1.0.3", 1.0, networks=LOOPBACK).send([got])
    parts = multipart.read_parts(said[0].content, said[0].headers["Content-Type"])
    assert orjson.loads(bytes(parts[0][1]))[0]["id"] == sent["id"]
    assert multipart.read_attachments(parts[1:]) == {sha2: ("text/plain", data)}
