"""What we prove ourselves to a network with: a small mapping, sealed in the connector's row."""

from __future__ import annotations

import orjson

from esn.models import Connector
from esn.secrets import seal, unseal


def read_credentials(connector: Connector) -> dict[str, str]:
    """Return the credentials by name; empty where none were given."""
    if connector.credentials is None:
        return {}
    found: dict[str, str] = orjson.loads(unseal(connector.credentials))
    return found


def write_credentials(connector: Connector, credentials: dict[str, str]) -> None:
    """Seal the credentials in the connector's row."""
    connector.credentials = seal(orjson.dumps(credentials).decode())
