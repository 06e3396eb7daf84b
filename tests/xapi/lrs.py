"""Talking to the embedded LRS in tests, as another system would."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Sequence
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from lms.db import db
from xapi.lrs import credentials

ACTOR = {"mbox": "mailto:leila.haddad@example.test"}
OTHER = {"account": {"homePage": "http://example.test", "name": "tomasz"}}
VERB = {"id": "http://example.test/verbs/did", "display": {"en": "did"}}
ACTIVITY = {"id": "http://example.test/activities/one"}


def statement(**parts: Any) -> dict[str, Any]:
    """Return a small valid statement with its own id; parts replace or add properties."""
    whole = {"id": str(uuid.uuid4()), "actor": ACTOR, "verb": VERB, "object": ACTIVITY, **parts}
    return {name: value for name, value in whole.items() if value is not None}


def attachment(content: bytes, **more: Any) -> dict[str, Any]:
    return {
        "usageType": "http://example.test/usage",
        "display": {"en": "a file"},
        "contentType": "text/plain",
        "length": len(content),
        "sha2": hashlib.sha256(content).hexdigest(),
        **more,
    }


def multipart(body: Any, *attachments: tuple[str, bytes]) -> tuple[bytes, str]:
    pieces = [b"--edge\r\nContent-Type: application/json\r\n\r\n", json.dumps(body).encode()]
    for sha2, content in attachments:
        pieces.append(
            b"\r\n--edge\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n"
            b"X-Experience-API-Hash: " + sha2.encode() + b"\r\n\r\n" + content
        )
    pieces.append(b"\r\n--edge--\r\n")
    return b"".join(pieces), "multipart/mixed; boundary=edge"


class Provider:
    """A system with a credential."""

    def __init__(
        self, app: Flask, scopes: Sequence[str] = ("all",), version: str = "1.0.3"
    ) -> None:
        made, secret = credentials.add("test", scopes, version=int(version[0]))
        db.session.commit()
        self.key, self.secret = made.key, secret
        self.client = app.test_client()
        self.headers = {
            "Authorization": "Basic " + base64.b64encode(f"{made.key}:{secret}".encode()).decode(),
            "X-Experience-API-Version": version,
        }

    def ask(self, method: str, path: str = "statements", **more: Any) -> TestResponse:
        """Send a request to a resource under /xapi/."""
        headers = {**self.headers, **more.pop("headers", {})}
        address = path if path.startswith("/") else f"/xapi/{path}"
        return self.client.open(address, method=method, headers=headers, **more)

    def post(self, body: Any, status: int = 200) -> Any:
        """Post statements; the answer must have this status."""
        answer = self.ask("POST", json=body)
        assert answer.status_code == status, answer.text
        return answer.json

    def find(self, **query: Any) -> list[str]:
        """Return the ids of all statements found, following `more` to the end."""
        return [one["id"] for one in self.find_statements(**query)]

    def find_statements(self, **query: Any) -> list[dict[str, Any]]:
        """Return all statements found, following `more` to the end."""
        found: list[dict[str, Any]] = []
        answer = self.ask("GET", query_string=query)
        while True:
            assert answer.status_code == 200, answer.text
            found += answer.json["statements"]
            if not answer.json["more"]:
                return found
            answer = self.ask("GET", answer.json["more"])
