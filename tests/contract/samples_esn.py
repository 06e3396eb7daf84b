"""Sample values for the addresses of esn."""

from __future__ import annotations

from typing import Any

from lms.people.models import Person
from tests.contract.samples import offers
from tests.factories.esn import make_connector


@offers("esn_intake", "esn")
def samples(owner: Person) -> dict[str, Any]:
    """A webhook connector."""
    connector, _secret = make_connector()
    return {"connector_uid": connector.uid, "path": "_matrix/app/v1/ping"}
