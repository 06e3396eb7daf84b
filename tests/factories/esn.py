"""Networks for tests: a connector, linked people, signed deliveries."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import orjson
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from esn.connectors.services import add_connector
from esn.connectors.webhook.signature import sign
from esn.models import Connector
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
