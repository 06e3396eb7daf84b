"""What the documentation shows works as it is printed there."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from esn.connectors.contract import NetworkConnector, kinds
from esn.models import Usage
from esn.statements import TERMS
from esn.vocabulary import Act
from lms import clock
from lms.db import db
from lms.jobs.queue import run_pending
from tests.factories.esn import make_connector
from tests.factories.people import make_person

DOCS = Path(__file__).parents[2] / "docs"


def test_the_ten_line_sender_is_taken(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (DOCS / "administrators" / "networks" / "webhook.md").read_text()
    sender, example = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len([line for line in sender.splitlines() if line.strip()]) <= 10
    connector, secret = make_connector()
    imani = make_person("Imani Okafor", email="imani.okafor@halden.example")

    def urlopen(request: Any) -> io.BytesIO:
        answer = client.post(
            request.selector, data=request.data, headers=dict(request.header_items())
        )
        assert answer.status_code == 202, answer.text
        return io.BytesIO(json.dumps(answer.get_json()).encode())

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    names: dict[str, Any] = {
        "address": f"http://localhost/esn/intake/{connector.uid}",
        "secret": secret,
    }
    moment = clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
    exec(sender + example.replace("2026-11-23T09:30:00Z", moment), names)  # noqa: S102
    run_pending()
    act = db.session.scalars(select(Usage)).one()
    assert (act.person_id, act.verb, act.client) == (imani.id, "replied", "mobile")


def test_every_connector_keeps_the_contract_and_has_a_page() -> None:
    found = kinds()
    assert set(found) >= {"webhook", "matrix"}
    for kind, connector in found.items():
        assert isinstance(connector, NetworkConnector), kind
        assert connector.verbs <= set(Act), kind
        assert (DOCS / "administrators" / "networks" / f"{kind}.md").exists(), kind


def test_every_act_is_in_the_webhook_page() -> None:
    page = (DOCS / "administrators" / "networks" / "webhook.md").read_text()
    assert [act for act in Act if f"`{act}`" not in page] == []


def test_every_act_is_said_in_a_verb_of_the_profile() -> None:
    profile = (DOCS / "xapi-profile.md").read_text()
    assert set(TERMS) == set(Act)
    for act, (verb, _kind, _name) in TERMS.items():
        assert f"| `{verb.iri}` |" in profile, act
    assert TERMS[Act.POSTED][0].iri == "https://w3id.org/xapi/acrossx/verbs/posted"
    assert TERMS[Act.REPLIED][0].iri == "http://id.tincanapi.com/verb/replied"
    assert TERMS[Act.REACTED][0].iri == "https://w3id.org/xapi/acrossx/verbs/liked"
