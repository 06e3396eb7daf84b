"""Recorded Matrix payloads (Synapse 1.163.2), and a homeserver that answers from them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import orjson

FOLDER = Path(__file__).parent / "payloads" / "matrix"
SERVER = "halden.test"
ROOM = "!aHWGyYAcYTRnVdqDTw:halden.test"
BOT = f"@ropes:{SERVER}"
IMANI = f"@imani:{SERVER}"
LEILA = f"@leila:{SERVER}"
_numbers = itertools.count(1)


def load(name: str) -> Any:
    """Return a recorded payload."""
    return orjson.loads((FOLDER / name).read_bytes())


def transaction(kind: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return one event as a homeserver pushes it."""
    number = next(_numbers)
    return {
        "type": kind,
        "event_id": f"$made-{number}",
        "room_id": ROOM,
        "sender": IMANI,
        "origin_server_ts": 1_795_000_000_000 + number,
        "content": content,
        **more,
    }


class FakeHomeserver:
    """Two users, one open room, five pages of past."""

    page_count = 5
    events_on_a_page = 4

    def __init__(self) -> None:
        self.pages_read = 0
        self.fail_at_page: int | None = None
        self.join_rule = "public"
        self.names_asked = 0
        self.addresses: dict[str, list[dict[str, Any]]] = {IMANI: [], LEILA: [], BOT: []}

    @property
    def event_count(self) -> int:
        return self.page_count * self.events_on_a_page

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer like Synapse."""
        path = unquote(request.url.path)
        if request.headers["authorization"] == "Bearer ":
            return httpx.Response(401, json={"errcode": "M_UNKNOWN_TOKEN"})
        if path.endswith("/messages"):
            return self._messages(request)
        if path.endswith("/state/m.room.join_rules/"):
            return httpx.Response(200, json={"join_rule": self.join_rule})
        if path.endswith("/state/m.room.name/"):
            self.names_asked += 1
            return httpx.Response(200, json={"name": "Field notes"})
        if path.endswith("/admin/v2/users"):
            return httpx.Response(200, json={"users": [{"name": one} for one in self.addresses]})
        if "/admin/v2/users/" in path:
            user = path.rpartition("/")[2]
            return httpx.Response(200, json={"threepids": self.addresses[user]})
        return httpx.Response(
            200,
            json={
                "/_matrix/client/v3/register": {"user_id": BOT},
                "/_matrix/client/v3/joined_rooms": {"joined_rooms": [ROOM]},
                "/_matrix/client/v3/publicRooms": {"chunk": [{"room_id": ROOM}]},
            }[path],
        )

    def _messages(self, request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("from", "t1")[1:])
        if number == self.fail_at_page:
            return httpx.Response(429, json={"errcode": "M_LIMIT_EXCEEDED"})
        self.pages_read += 1
        events = [
            {
                "type": "m.room.message",
                "event_id": f"$page{number}-{row}",
                "room_id": ROOM,
                "sender": LEILA,
                "origin_server_ts": 1_795_000_000_000 - number * 1000 - row,
                "content": {"msgtype": "m.text", "body": "ZEBRA in the past"},
            }
            for row in range(self.events_on_a_page)
        ]
        found: dict[str, Any] = {"chunk": events, "start": f"t{number}"}
        if number < self.page_count:
            found["end"] = f"t{number + 1}"
        return httpx.Response(200, json=found)
