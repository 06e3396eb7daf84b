"""The administrator's pages and commands about networks."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from esn.connectors.status import check_networks
from esn.connectors.webhook.connector import WebhookConnector
from esn.ledger.accounts import link_accounts
from esn.ledger.groups import note_groups
from esn.models import Account, Connector, Delivery, Group, Usage
from lms import clock
from lms.audit import AuditEntry
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.elsewhere import elsewhere
from tests.factories.esn import act, deliver, make_connector
from tests.factories.people import make_person
from tests.queries import counted


@pytest.fixture
def desk(app: Flask, sign_in: Callable[[Person], FlaskClient]) -> FlaskClient:
    return sign_in(make_person("Jonas Brandt", is_administrator=True))


def test_a_webhook_is_added_and_works_with_the_secret_shown_once(
    desk: FlaskClient, client: FlaskClient
) -> None:
    page = desk.post("/esn/connectors/new/webhook", data={"label": "Square"})
    assert page.status_code == 200
    found = re.search(r"<code dir=\"ltr\">([\w-]{43})</code>", page.text)
    assert found is not None
    connector = db.session.scalars(select(Connector)).one()
    assert deliver(client, connector, found[1], [act("u1")]).status_code == 202
    run_pending()
    for address in ("/esn/connectors", f"/esn/connectors/{connector.uid}"):
        shown = desk.get(address)
        assert shown.status_code == 200
        assert found[1] not in shown.text
        assert "Everything that arrived has been read." in shown.text
    assert found[1].encode() not in (connector.secret or b"")


def test_both_secrets_work_while_one_replaces_the_other(
    desk: FlaskClient, client: FlaskClient
) -> None:
    connector, old = make_connector()
    page = desk.post(f"/esn/connectors/{connector.uid}/secret")
    found = re.search(r"<code dir=\"ltr\">([\w-]{43})</code>", page.text)
    assert found is not None
    assert deliver(client, connector, old, [act("u1")]).status_code == 202
    assert deliver(client, connector, found[1], [act("u1")]).status_code == 202
    with clock.travel(clock.now() + dt.timedelta(days=8)):
        assert deliver(client, connector, old, [act("u1")]).status_code == 401
        assert deliver(client, connector, found[1], [act("u1")]).status_code == 202


def test_switched_off_refuses(desk: FlaskClient, client: FlaskClient) -> None:
    connector, secret = make_connector()
    desk.post(f"/esn/connectors/{connector.uid}/switch", data={"on": "no"})
    assert deliver(client, connector, secret, [act("u1")]).status_code == 401
    desk.post(f"/esn/connectors/{connector.uid}/switch", data={"on": "yes"})
    assert deliver(client, connector, secret, [act("u1")]).status_code == 202


def test_switched_off_while_a_delivery_is_read_it_takes_nothing(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, secret = make_connector()
    plain = WebhookConnector.whitelist

    def read(self: WebhookConnector, *args: Any) -> Any:
        elsewhere(update(Connector).values(active=False))
        return plain(self, *args)

    monkeypatch.setattr(WebhookConnector, "whitelist", read)
    assert deliver(client, connector, secret, [act("u1")]).status_code == 401
    assert db.session.scalar(select(Delivery.id)) is None


def test_an_account_is_linked_by_hand(desk: FlaskClient, client: FlaskClient) -> None:
    connector, secret = make_connector()
    imani = make_person("Imani Okafor", email="imani@example.test")
    deliver(client, connector, secret, [act("u1")])
    run_pending()
    address = f"/esn/connectors/{connector.uid}/link"
    desk.post(address, data={"account": "u1", "person": " Imani@example.test "})
    run_pending()
    assert db.session.scalars(select(Usage.person_id)).all() == [imani.id]
    make_person("Tomasz Wrona", email="tomasz@example.test")
    page = desk.post(
        address, data={"account": "u1", "person": "tomasz@example.test"}, follow_redirects=True
    )
    assert "linked with somebody else" in page.text
    assert db.session.scalar(select(Account.person_id)) == imani.id
    page = desk.post(
        address, data={"account": "u1", "person": "nobody@example.test"}, follow_redirects=True
    )
    assert "Nobody here has that address" in page.text


def test_a_second_account_does_not_take_over_a_person(app: Flask, client: FlaskClient) -> None:
    """Whoever can set an address in the network does not get at another's evidence."""
    connector, secret = make_connector()
    imani = make_person("Imani Okafor", email="imani@example.test")
    for account in ("hers", "theirs"):
        claim = [{"id": account, "email": "imani@example.test"}]
        deliver(client, connector, secret, [act(account)], claim)
        run_pending()
    link_accounts()
    linked = db.session.scalars(select(Account.person_id).order_by(Account.id)).all()
    assert linked == [imani.id, None]


def test_what_could_not_be_read_is_shown_and_can_be_settled(
    desk: FlaskClient, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, secret = make_connector()
    deliver(client, connector, secret, [act("u1")])
    db.session.execute(Delivery.__table__.update().values(tries=5))
    db.session.commit()
    run_pending()
    assert "could not be read" in desk.get("/esn/connectors").text
    assert "Square" in (check_networks() or "")
    db.session.rollback()
    desk.post(f"/esn/connectors/{connector.uid}/unreadable", data={"what": "again"})
    run_pending()
    assert db.session.scalars(select(Usage.verb)).all() == ["replied"]
    assert check_networks() is None


def test_a_group_changes_kind_with_what_was_done_in_it(
    desk: FlaskClient, client: FlaskClient
) -> None:
    connector, secret = make_connector()
    deliver(client, connector, secret, [act("u1", group="g1", group_kind="work")])
    run_pending()
    key = db.session.scalar(select(Usage.group_key))
    assert key is not None
    note_groups(connector.id, [{"group": key, "open": True, "name": "Running club"}])
    db.session.commit()
    group = db.session.scalars(select(Group)).one()
    address = f"/esn/connectors/{connector.uid}/groups/{group.id}"
    desk.post(address, data={"kind": "social", "counted": "yes"})
    assert db.session.scalar(select(Usage.group_kind)) == "social"
    assert desk.post(address, data={"kind": "Ann's"}).status_code == 404


def test_matrix_by_hand(desk: FlaskClient) -> None:
    wrong = desk.post(
        "/esn/connectors/new/matrix",
        data={"label": "M", "homeserver": "matrix", "server_name": "x.test", "match": "email"},
    )
    assert wrong.status_code == 422
    assert "Write the whole address" in wrong.text
    desk.post(
        "/esn/connectors/new/matrix",
        data={
            "label": "Halden Matrix",
            "homeserver": "https://m.test",
            "server_name": "halden.test",
            "match": "email",
        },
    )
    connector = db.session.scalars(select(Connector)).one()
    assert "Make the registration file" in desk.get("/esn/connectors").text
    file = desk.post(f"/esn/connectors/{connector.uid}/registration")
    assert "sender_localpart: ropes" in file.text
    assert "Nothing has arrived yet" in desk.get("/esn/connectors").text
    acts = db.session.scalars(select(AuditEntry.act)).all()
    assert {"esn.connector.added", "esn.registration"} <= set(acts)


def test_pages_cost_the_same_for_many_networks(desk: FlaskClient) -> None:
    make_connector()
    with counted() as one:
        desk.get("/esn/connectors")
    for _ in range(9):
        make_connector()
    with counted() as ten:
        desk.get("/esn/connectors")
    assert len(one) == len(ten)


def test_commands(app: Flask, client: FlaskClient) -> None:
    make_person("Imani Okafor", email="imani@example.test")
    run = app.test_cli_runner().invoke
    made = run(args=["esn", "add-webhook", "Square"])
    assert made.exit_code == 0
    fields = dict(line.split(None, 1) for line in made.stdout.splitlines())
    connector = db.session.scalars(select(Connector)).one()
    assert fields["uid"] == connector.uid
    assert deliver(client, connector, fields["secret"], [act("u1")]).status_code == 202
    run_pending()
    assert run(args=["esn", "link", connector.uid, "u1", "imani@example.test"]).exit_code == 0
    assert db.session.scalar(select(Usage.person_id)) is not None
    assert "Everything that arrived" in run(args=["esn", "list"]).stdout
    matrix = run(
        args=["esn", "add-matrix", "M", "--homeserver", "https://m.test", "--server-name", "m.test"]
    )
    uid = matrix.stdout.split()[1]
    file = run(args=["esn", "registration", uid])
    assert "hs_token" in file.stdout
    new = run(args=["esn", "secret", uid]).stdout.split()[1]
    assert f"hs_token: {new}" in run(args=["esn", "registration", uid]).stdout
    assert run(args=["esn", "switch", uid, "off"]).exit_code == 0
