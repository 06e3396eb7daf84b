"""Matrix without a server: recorded payloads, what is read of them, and what never is."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from esn.connectors.matrix.connector import MatrixConnector
from esn.connectors.matrix.registration import registration, settings_from
from esn.connectors.services import add_connector
from esn.digests import digest
from esn.ledger.backfill import backfill_connectors, read_again
from esn.ledger.groups import note_groups
from esn.models import Account, Connector, Delivery, Group, GroupState, Usage
from lms.db import db
from lms.jobs.queue import run_pending
from tests.esn.recorded import BOT, IMANI, LEILA, ROOM, SERVER, FakeHomeserver, load, transaction
from tests.factories.people import make_person


@pytest.fixture
def matrix(app: Flask) -> tuple[Connector, str]:
    """A Matrix connector with one open room, and its token."""
    connector, token = add_connector(
        "matrix", "Halden Matrix", None, **settings_from("https://home.test", SERVER)
    )
    registration(connector)
    key = digest("group", connector.uid, ROOM)
    note_groups(connector.id, [{"group": key, "open": True, "name": "Field notes"}])
    db.session.commit()
    return connector, token


@pytest.fixture
def homeserver(monkeypatch: pytest.MonkeyPatch) -> FakeHomeserver:
    """A homeserver that answers from recordings."""
    fake = FakeHomeserver()
    monkeypatch.setattr(MatrixConnector, "transport", httpx.MockTransport(fake.answer))
    return fake


def push(
    client: FlaskClient, connector: Connector, token: str, body: Any, name: str = "1"
) -> TestResponse:
    address = f"/esn/intake/{connector.uid}/_matrix/app/v1/transactions/{name}"
    sent = body if isinstance(body, bytes) else orjson.dumps(body)
    return client.put(address, data=sent, headers={"Authorization": f"Bearer {token}"})


def verbs() -> list[str]:
    return list(db.session.scalars(select(Usage.verb).order_by(Usage.occurred_at, Usage.id)))


def test_recorded_transaction_becomes_acts(
    client: FlaskClient, matrix: tuple[Connector, str]
) -> None:
    """Recorded from Synapse: out and in again, a change of name, a post, a reply in a thread, a reaction,
    an edit, a deleted message."""
    connector, token = matrix
    answer = push(client, connector, token, load("transaction.json"))
    assert (answer.status_code, answer.get_json()) == (200, {})
    run_pending()
    assert verbs() == ["left", "joined", "joined", "posted", "replied", "reacted"]
    reply = db.session.scalars(select(Usage).where(Usage.verb == "replied")).one()
    post = db.session.scalars(select(Usage).where(Usage.verb == "posted")).one()
    assert reply.recipient_id == post.account_id
    assert (reply.client, reply.group_kind) == ("unknown", "work")


def test_the_same_events_in_any_order_and_twice(
    client: FlaskClient, matrix: tuple[Connector, str]
) -> None:
    connector, token = matrix
    events = load("transaction.json")["events"]
    for number, event in enumerate([*reversed(events), *events]):
        assert push(client, connector, token, {"events": [event]}, str(number)).status_code == 200
    run_pending()
    assert verbs() == ["left", "joined", "joined", "posted", "replied", "reacted"]
    reply = db.session.scalars(select(Usage).where(Usage.verb == "replied")).one()
    post = db.session.scalars(select(Usage).where(Usage.verb == "posted")).one()
    assert reply.recipient_id == post.account_id


def test_rooms_that_are_not_counted_leave_nothing(
    client: FlaskClient, matrix: tuple[Connector, str]
) -> None:
    connector, token = matrix
    events = [
        {**one, "room_id": "!private:halden.test"} for one in load("transaction.json")["events"]
    ]
    assert push(client, connector, token, {"events": events}).status_code == 200
    assert db.session.scalar(select(func.count()).select_from(Delivery)) == 0
    run_pending()
    assert db.session.scalar(select(func.count()).select_from(Account)) == 0


def test_a_room_that_is_closed_is_not_read_from_then_on(
    client: FlaskClient, matrix: tuple[Connector, str]
) -> None:
    connector, token = matrix
    closing = transaction("m.room.join_rules", {"join_rule": "invite"}, state_key="")
    post = transaction("m.room.message", {"msgtype": "m.text", "body": "secret"})
    push(client, connector, token, {"events": [closing, post]}, "1")
    push(client, connector, token, {"events": [post]}, "2")
    run_pending()
    assert verbs() == []
    group = db.session.scalars(select(Group)).one()
    assert (group.state, group.name) == (GroupState.CLOSED.value, "")


@pytest.mark.parametrize("token", ["", "wrong", "ä"])
def test_a_wrong_token_is_refused(
    client: FlaskClient, matrix: tuple[Connector, str], token: str
) -> None:
    connector, _right = matrix
    address = f"/esn/intake/{connector.uid}/_matrix/app/v1/transactions/1"
    headers = {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    assert client.put(address, json={"events": []}, headers=headers).status_code == 401
    assert client.put(f"{address}?access_token=no", json={"events": []}).status_code == 401
    connector.secret = None
    db.session.commit()
    assert client.put(address, json={"events": []}, headers=headers).status_code == 401


def test_old_homeservers_and_pings(client: FlaskClient, matrix: tuple[Connector, str]) -> None:
    connector, token = matrix
    base = f"/esn/intake/{connector.uid}"
    old = client.put(f"{base}/transactions/7?access_token={token}", json={"events": []})
    assert old.status_code == 200
    proved = {"Authorization": f"Bearer {token}"}
    assert client.post(f"{base}/_matrix/app/v1/ping", json={}, headers=proved).status_code == 200
    asked = client.get(f"{base}/_matrix/app/v1/users/@x:{SERVER}", headers=proved)
    assert (asked.status_code, asked.get_json()["errcode"]) == (404, "M_NOT_FOUND")
    assert client.post(f"{base}/elsewhere", json={}, headers=proved).status_code == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"events": 5}', b'{"events": [5, null, {}]}'])
def test_a_malformed_transaction_stores_nothing(
    client: FlaskClient, matrix: tuple[Connector, str], body: bytes
) -> None:
    connector, token = matrix
    assert push(client, connector, token, body).status_code in (200, 422)
    assert db.session.scalar(select(func.count()).select_from(Delivery)) == 0


def test_backfill_goes_on_where_it_was(
    app: Flask, matrix: tuple[Connector, str], homeserver: FakeHomeserver
) -> None:
    connector, _token = matrix
    make_person("Imani Okafor", email="imani@halden.test")
    homeserver.fail_at_page = 3
    backfill_connectors()
    assert "asks us to wait" in db.session.get_one(Connector, connector.id).trouble
    read_before = homeserver.pages_read
    homeserver.fail_at_page = None
    backfill_connectors()
    assert homeserver.pages_read == homeserver.page_count
    assert read_before == 2
    run_pending()
    assert len(verbs()) == homeserver.event_count
    connector = db.session.get_one(Connector, connector.id)
    assert connector.trouble == ""
    read_again(connector)
    db.session.commit()
    backfill_connectors()
    run_pending()
    assert len(verbs()) == homeserver.event_count  # read twice, counted once


def test_people_are_matched_by_verified_addresses(
    app: Flask, matrix: tuple[Connector, str], homeserver: FakeHomeserver
) -> None:
    _connector, _token = matrix
    imani = make_person("Imani Okafor", email="imani@halden.test")
    leila = make_person("Leila Haddad", email="leila@halden.test")
    homeserver.addresses = {
        IMANI: [{"medium": "email", "address": "Imani@halden.test", "validated_at": 5}],
        LEILA: [{"medium": "email", "address": "leila@halden.test"}],  # not verified
        BOT: [],
    }
    backfill_connectors()
    run_pending()
    linked = db.session.scalars(select(Account.person_id).where(Account.person_id.is_not(None)))
    assert linked.all() == [imani.id]
    assert leila.id is not None


def test_groups_left_out_by_an_administrator_are_not_read(
    app: Flask, matrix: tuple[Connector, str], homeserver: FakeHomeserver
) -> None:
    group = db.session.scalars(select(Group)).one()
    group.state = GroupState.LEFT_OUT.value
    db.session.commit()
    backfill_connectors()
    run_pending()
    assert homeserver.pages_read == 0
    assert verbs() == []


def test_a_room_that_is_not_open_is_not_read_back(
    app: Flask, matrix: tuple[Connector, str], homeserver: FakeHomeserver
) -> None:
    homeserver.join_rule = "invite"
    backfill_connectors()
    run_pending()
    assert homeserver.pages_read == 0
    assert db.session.scalars(select(Group.state)).all() == [GroupState.CLOSED.value]
    assert homeserver.names_asked == 0


def test_registration_asks_for_our_own_user_only(matrix: tuple[Connector, str]) -> None:
    connector, token = matrix
    text = registration(connector)
    assert f"hs_token: {token}" in text
    assert registration(connector) == text
    assert "rooms: []" in text
    assert "regex: '@ropes:halden\\.test'" in text or "regex: '@ropes:halden\\\\.test'" in text
