"""Sample values for the addresses of esn."""

from __future__ import annotations

from typing import Any

from esn.connectors.matrix.registration import settings_from
from esn.connectors.services import add_connector
from esn.models import Group
from lms.db import db
from lms.people.models import Person
from tests.contract.samples import offers


@offers("esn_intake", "esn")
def samples(owner: Person) -> dict[str, Any]:
    """A Matrix connector with a group: of all kinds it has the most pages."""
    settings = settings_from("https://matrix.example.com", "example.com")
    connector, _token = add_connector("matrix", "Halden Matrix", None, **settings)
    group = Group(connector_id=connector.id, key="0" * 32, name="Field notes")
    db.session.add(group)
    db.session.commit()
    return {
        "connector_uid": connector.uid,
        "path": "_matrix/app/v1/ping",
        "kind": "webhook",
        "group_id": group.id,
    }
