"""The file that tells a homeserver of us (application service API 1.11, section 2.1)."""

from __future__ import annotations

import re
from typing import Any

import yaml
from flask import current_app

from esn.connectors.credentials import read_credentials, write_credentials
from esn.models import Connector
from esn.secrets import new_secret, unseal
from lms.addresses import read_address
from lms.errors import Invalid

BOT = "ropes"
MATCHES = ("email", "employee_number", "none")


def settings_from(homeserver: str, server_name: str, match: str = "email") -> dict[str, Any]:
    """Return a connector's settings from what the administrator wrote; raises Invalid."""
    homeserver = read_address(homeserver, "homeserver")
    if not re.fullmatch(r"https?://[^/\s?#]+/?", homeserver):
        raise Invalid(
            "Write the homeserver's address like https://matrix.example.com.", "homeserver"
        )
    if not re.fullmatch(r"[A-Za-z0-9.\-:\[\]]+", server_name):
        raise Invalid("Write the server name like example.com: what follows the colon in user ids.")
    if match not in MATCHES:
        raise Invalid("People are matched by one of: %(known)s.", known=", ".join(MATCHES))
    return {"homeserver": homeserver.rstrip("/"), "server_name": server_name, "match": match}


def user_id(connector: Connector) -> str:
    """Return the id of our own user."""
    return f"@{BOT}:{connector.settings['server_name']}"


def registration(connector: Connector) -> str:
    """Return the registration file, with its two tokens: keep it as a secret.

    The homeserver is asked for nothing but our own user: it then tells us what happens in the
    rooms where that user is, and of no other.
    """
    if connector.secret is None:
        raise Invalid("This connector has no secret. Give it a new one first.")
    credentials = read_credentials(connector)
    if "as_token" not in credentials:
        credentials["as_token"] = new_secret()
        write_credentials(connector, credentials)
    base: str = current_app.config["LMS_BASE_URL"]
    server = re.escape(connector.settings["server_name"])
    return yaml.safe_dump(
        {
            "id": f"ropes-{connector.uid}",
            "url": f"{base.rstrip('/')}/esn/intake/{connector.uid}",
            "as_token": credentials["as_token"],
            "hs_token": unseal(connector.secret),
            "sender_localpart": BOT,
            "rate_limited": False,
            "namespaces": {
                "users": [{"exclusive": True, "regex": f"@{BOT}:{server}"}],
                "aliases": [],
                "rooms": [],
            },
        },
        sort_keys=False,
    )
