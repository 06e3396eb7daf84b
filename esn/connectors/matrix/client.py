"""Talking to a homeserver: only from jobs, with timeouts, and nothing of an answer in any log."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from esn.connectors.contract import NetworkSilent
from lms.addresses import NotThere
from lms.addresses import transport as guarded

CLIENT = "/_matrix/client/v3"
ADMIN = "/_synapse/admin/v2"
TIMEOUT_SECONDS = 20.0
PAGE_ROWS = 100
# Rooms, people and relations; the homeserver is asked for nothing else.
TYPES = (
    "m.room.message",
    "m.room.encrypted",
    "m.sticker",
    "m.poll.start",
    "m.reaction",
    "m.room.member",
    "m.room.redaction",
)

# httpx logs every address it opens, and ours hold room ids.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Homeserver:
    """A homeserver, spoken to as our application service's own user."""

    def __init__(
        self, address: str, token: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.http = httpx.Client(
            base_url=address.rstrip("/"),
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
            transport=transport or guarded(plain=address.startswith("http:")),
        )

    def close(self) -> None:
        """Give the connections back."""
        self.http.close()

    def ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Return status and JSON; raises NetworkSilent where none comes, or it has had enough."""
        try:
            answer = self.http.request(
                method, path, params=params, content=None if body is None else orjson.dumps(body)
            )
            found = orjson.loads(answer.content)
        except NotThere as error:
            raise NetworkSilent(error.sentence) from None
        except httpx.HTTPError as error:
            raise NetworkSilent(
                "The homeserver does not answer (%(name)s). Check its address.",
                name=type(error).__name__,
            ) from None
        except orjson.JSONDecodeError:
            raise NetworkSilent(
                "What answers at the homeserver's address is not a Matrix homeserver."
            ) from None
        if answer.status_code == 401:
            raise NetworkSilent(
                "The homeserver does not know our token. Has it read the registration file?"
            )
        if answer.status_code == 429 or answer.status_code >= 500:
            raise NetworkSilent(
                "The homeserver asks us to wait (%(status)s).", status=answer.status_code
            )
        return answer.status_code, found if isinstance(found, dict) else {}

    def register(self, localpart: str) -> None:
        """Make our own user, if it is not there yet."""
        wanted = {"type": "m.login.application_service", "username": localpart}
        status, found = self.ask(
            "POST", f"{CLIENT}/register", body={**wanted, "inhibit_login": True}
        )
        if status != 200 and found.get("errcode") != "M_USER_IN_USE":
            raise NetworkSilent(
                "The homeserver did not let us make our user (%(status)s). Compare the registration file with the connector's settings.",
                status=status,
            )

    def public_rooms(self) -> Iterator[str]:
        """Yield the ids of the rooms in the homeserver's own directory that anybody may join."""
        params = {"limit": str(PAGE_ROWS)}
        while True:
            status, found = self.ask("GET", f"{CLIENT}/publicRooms", params)
            if status != 200:
                return
            for room in found.get("chunk", ()):
                if room.get("join_rule", "public") == "public":
                    yield room["room_id"]
            if not found.get("next_batch"):
                return
            params["since"] = found["next_batch"]

    def joined_rooms(self) -> list[str]:
        """Return the ids of the rooms that our user is in."""
        _status, found = self.ask("GET", f"{CLIENT}/joined_rooms")
        return [room for room in found.get("joined_rooms", ()) if isinstance(room, str)]

    def join(self, room: str) -> bool:
        """Enter a room; False where we may not."""
        status, _found = self.ask("POST", f"{CLIENT}/join/{quote(room, safe='')}", body={})
        return status == 200

    def state(self, room: str, kind: str) -> dict[str, Any]:
        """Return the content of a room's state event; empty where there is none."""
        status, found = self.ask("GET", f"{CLIENT}/rooms/{quote(room, safe='')}/state/{kind}/")
        return found if status == 200 else {}

    def messages(self, room: str, start: str | None) -> tuple[list[Any], str | None]:
        """Return a page of a room's past, newest first, and where the next begins (None: none).

        Bodies come along, since this part of the API cannot leave them out: they go no further
        than the reader, in memory.
        """
        params = {
            "dir": "b",
            "limit": str(PAGE_ROWS),
            "filter": orjson.dumps({"types": TYPES, "lazy_load_members": True}).decode(),
        }
        if start is not None:
            params["from"] = start
        path = f"{CLIENT}/rooms/{quote(room, safe='')}/messages"
        status, found = self.ask("GET", path, params)
        if status != 200:
            return [], None
        chunk = found.get("chunk")
        events = chunk if isinstance(chunk, list) else []
        end = found.get("end")
        return events, end if isinstance(end, str) and end != start else None

    def users(self) -> Iterator[str] | None:
        """Return the ids of everybody here; None where our user may not ask (no administrator)."""
        params = {"from": "0", "limit": str(PAGE_ROWS), "guests": "false", "deactivated": "false"}
        status, first = self.ask("GET", f"{ADMIN}/users", params)
        return self._users(first, params) if status == 200 else None

    def _users(self, found: dict[str, Any], params: dict[str, str]) -> Iterator[str]:
        while True:
            for user in found.get("users", ()):
                yield user["name"]
            if "next_token" not in found:
                return
            params["from"] = str(found["next_token"])
            _status, found = self.ask("GET", f"{ADMIN}/users", params)

    def addresses(self, user: str) -> list[str]:
        """Return the e-mail addresses that the homeserver holds for verified."""
        _status, found = self.ask("GET", f"{ADMIN}/users/{quote(user, safe='')}")
        return [
            one["address"]
            for one in found.get("threepids") or ()
            if one.get("medium") == "email" and one.get("validated_at")
        ]
