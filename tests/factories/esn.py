"""Networks for tests: a connector, linked people, signed deliveries."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from esn.connectors.services import add_connector
from esn.connectors.webhook.signature import sign
from esn.models import Account, Connector, Usage
from esn.vocabulary import Act, Client
from lms import clock
from lms.db import db

_numbers = itertools.count(1)


def make_connector(label: str = "Square") -> tuple[Connector, str]:
    """Make and commit a webhook connector; return it with its secret."""
    made = add_connector("webhook", label)
    db.session.commit()
    return made


def act(actor: str, verb: str = "replied", **fields: Any) -> dict[str, Any]:
    """Return one act as a sender would write it; `at` defaults to now."""
    number = next(_numbers)
    at = clock.now().isoformat().replace("+00:00", "Z")
    return {
        "id": f"e{number}",
        "at": at,
        "verb": verb,
        "actor": actor,
        "object": f"m{number}",
        **fields,
    }


def signed(
    secret: str, events: Iterable[dict[str, Any]], accounts: Iterable[dict[str, Any]] = ()
) -> tuple[bytes, dict[str, str]]:
    """Return the body of a delivery and the headers that prove it, as a sender would make them."""
    body = orjson.dumps({"events": list(events), "accounts": list(accounts)})
    timestamp = str(int(clock.now().timestamp()))
    return body, {
        "Content-Type": "application/json",
        "X-Ropes-Timestamp": timestamp,
        "X-Ropes-Signature": sign(secret, timestamp, body),
    }


def deliver(
    client: FlaskClient,
    connector: Connector,
    secret: str,
    events: Iterable[dict[str, Any]] = (),
    accounts: Iterable[dict[str, Any]] = (),
) -> TestResponse:
    """Send a signed delivery through the real intake."""
    body, headers = signed(secret, events, accounts)
    return client.post(f"/esn/intake/{connector.uid}", data=body, headers=headers)


def make_acts(
    connector: Connector, people: Sequence[int], each: int, client: str = Client.UNKNOWN
) -> None:
    """Commit `each` acts of every person, at once: replies to the next ones, posts, joined groups.

    They are spread over the last `each` hours and over five groups. For tests of large companies.
    """
    db.session.execute(
        insert(Account),
        [
            {"connector_id": connector.id, "key": f"account-{person}", "person_id": person}
            for person in people
        ],
    )
    known = db.session.execute(
        select(Account.id, Account.person_id)
        .where(Account.connector_id == connector.id)
        .order_by(Account.id)
    )
    wanted = set(people)
    accounts = [(account, person) for account, person in known if person in wanted]
    verbs = (Act.REPLIED, Act.REPLIED, Act.POSTED, Act.REACTED, Act.JOINED)
    now, rows = clock.now(), []
    for place, (account_id, person_id) in enumerate(accounts):
        for number in range(each):
            at = now - dt.timedelta(hours=number)
            key = f"{connector.id}-{account_id}-{number}"
            verb = verbs[number % len(verbs)]
            answered = accounts[(place + 1 + number) % len(accounts)][0]
            rows.append(
                {
                    "connector_id": connector.id,
                    "event_key": key,
                    "occurred_at": at,
                    "day": clock.day_number(at),
                    "account_id": account_id,
                    "person_id": person_id,
                    "verb": verb.value,
                    "object_key": key,
                    "group_key": f"group{number % 5}",
                    "group_kind": "work",
                    "recipient_id": answered if verb in (Act.REPLIED, Act.REACTED) else None,
                    "client": str(client),
                }
            )
    db.session.execute(insert(Usage), rows)
    db.session.commit()
