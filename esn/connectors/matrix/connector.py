"""The Matrix connector: an application service that is told what happens in open rooms.

Our user enters the rooms of the homeserver's directory that anybody may join, so that everybody in
them sees that they are counted; it is invited nowhere and follows no invitation. A room whose join
rule is not `public` is not read, whatever comes from it. docs/administrators/networks/matrix.md.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import orjson
from flask_babel import lazy_gettext as _l

from esn.connectors.contract import Answer, Known, NotProved, Page, Push
from esn.connectors.credentials import read_credentials
from esn.connectors.matrix.client import Homeserver
from esn.connectors.matrix.events import Reader, account_of
from esn.connectors.matrix.registration import BOT, user_id
from esn.digests import address_digest, digest, employee_digest
from esn.ledger.groups import counted_groups
from esn.ledger.records import GroupRecord, Whitelisted, nothing
from esn.models import Connector
from esn.secrets import unseal
from esn.vocabulary import Act
from lms.errors import ForMachines, Invalid, NotFound, Sentence

TRANSACTION = re.compile(r"(?:_matrix/app/v1/)?transactions/([^/]{1,255})")
PING = re.compile(r"_matrix/app/v1/ping")
QUERY = re.compile(r"(?:_matrix/app/v1/)?(?:users|rooms|thirdparty)/.*")
ACCOUNTS_IN_A_PAGE = 50
NO_ADMINISTRATOR = Sentence(
    "People are not matched yet: our user may not read the homeserver's list of accounts. "
    "Make it an administrator there, or link people by hand."
)


NO_ROOMS = Sentence(
    "We are in no room, so nothing is read: the homeserver's directory lists none that anybody "
    "may join. Publish one; the page about Matrix says how."
)


class MatrixConnector:
    """A Matrix homeserver; proved against Synapse."""

    kind = "matrix"
    label = _l("Matrix")
    about = _l("A Matrix homeserver (Synapse): it tells us what happens in its open rooms.")
    pushes = True
    reads_back = True
    verbs = frozenset({Act.POSTED, Act.REPLIED, Act.REACTED, Act.MENTIONED, Act.JOINED, Act.LEFT})
    reports_client = False
    look_at = _l(
        "On the homeserver: is a room that anybody may join in the directory, and was it restarted "
        "with our newest file?"
    )
    transport: httpx.BaseTransport | None = None  # tests put recorded answers here

    def verify(self, connector: Connector, push: Push) -> None:
        """See the contract. The token comes in a header; homeservers before 2023 put it in the
        address, as `access_token`."""
        scheme, _, given = push.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            given = push.query.get("access_token", "")
        valid = connector.good_secrets
        proved = [hmac.compare_digest(given.encode(), unseal(one).encode()) for one in valid]
        if not any(proved):
            raise NotProved(
                ForMachines("The token does not fit. Does the homeserver have our newest file?")
            )

    def greet(self, connector: Connector, push: Push) -> Answer | None:
        """Answer pings, and questions for users and rooms of ours: there are none."""
        if push.method == "PUT" and TRANSACTION.fullmatch(push.path):
            return None
        if push.method == "POST" and PING.fullmatch(push.path):
            return {}, 200
        if push.method == "GET" and QUERY.fullmatch(push.path):
            return {"errcode": "M_NOT_FOUND", "error": "There is none of that name here."}, 404
        raise NotFound(ForMachines("A homeserver sends nothing there."))

    def key(self, connector: Connector, push: Push) -> str:
        """A homeserver names its transactions, and repeats the name until it was answered.

        It begins again with 1 when its database is made anew: what the transaction holds belongs
        to its key.
        """
        return digest("delivery", connector.uid, push.path, digest("body", push.body.hex()))

    def whitelist(self, connector: Connector, push: Push) -> Whitelisted:
        """See the contract."""
        try:
            data = orjson.loads(push.body)
        except orjson.JSONDecodeError:
            raise Invalid(ForMachines("The body is not JSON in UTF-8.")) from None
        events = data.get("events") if isinstance(data, dict) else None
        if not isinstance(events, list):
            raise Invalid(ForMachines("“events” must be a list."))
        rooms = {
            digest("group", connector.uid, event["room_id"])
            for event in events
            if isinstance(event, dict) and isinstance(event.get("room_id"), str)
        }
        groups = counted_groups(connector.id, rooms)
        return Reader(connector.uid, user_id(connector), groups).read(events)

    def answer(self, content: Whitelisted, new: bool) -> Answer:
        """The standard wants an empty object (application service API, 3.1)."""
        return {}, 200

    def setting_up(self, connector: Connector) -> str | None:
        """See the contract."""
        if "as_token" not in read_credentials(connector):
            return str(_l("Make the registration file, and give it to the homeserver."))
        return None

    def backfill(self, connector: Connector, known: Known) -> Iterator[Page]:
        """Enter open rooms, match people, read each room's past once, newest first."""
        token = read_credentials(connector).get("as_token")
        if token is None:
            return
        server = Homeserver(connector.settings["homeserver"], token, self.transport)
        try:
            yield from Backfill(connector, known, server).pages()
        finally:
            server.close()


class Backfill:
    """One run of reading back; `cursor` holds, for each room, how far its past was read."""

    def __init__(self, connector: Connector, known: Known, server: Homeserver) -> None:
        self.scope = connector.uid
        self.bot = user_id(connector)
        self.match = connector.settings["match"]
        self.known = known
        self.server = server
        self.rooms: dict[str, dict[str, Any]] = dict(connector.cursor.get("rooms", {}))
        self.earliest = 0.0 if known.since is None else known.since.timestamp() * 1000

    def pages(self) -> Iterator[Page]:
        """Yield all that there is to know."""
        self.server.register(BOT)
        open_rooms, page = self.enter()
        yield page
        yield from self.accounts()
        for room in open_rooms:
            yield from self.past(room)

    def page(self, content: Whitelisted, trouble: str = "") -> Page:
        """Return a page with the cursor as it is now."""
        return Page(content, {"rooms": dict(self.rooms)}, trouble)

    def enter(self) -> tuple[list[str], Page]:
        """Enter every open room; return those that we are in and may read."""
        joined = set(self.server.joined_rooms())
        for room in self.server.public_rooms():
            wanted = room not in joined and self.key(room) not in self.known.left_out
            if wanted and self.server.join(room):
                joined.add(room)
        content = nothing()
        content["groups"] = []
        readable = []
        for room in sorted(joined):
            record = self.look_at(room)
            content["groups"].append(record)
            if record["open"] and record["group"] not in self.known.left_out:
                readable.append(room)
        return readable, self.page(content, "" if readable else NO_ROOMS)

    def look_at(self, room: str) -> GroupRecord:
        """Ask whether a room is open; only then for its name."""
        if self.server.state(room, "m.room.join_rules").get("join_rule") != "public":
            return GroupRecord(group=self.key(room), open=False)
        name = self.server.state(room, "m.room.name").get("name")
        return GroupRecord(
            group=self.key(room), open=True, name=name if isinstance(name, str) else ""
        )

    def past(self, room: str) -> Iterator[Page]:
        """Read a room's past from where we were, until its beginning or what is too old."""
        key = self.key(room)
        place = self.rooms.get(key, {})
        start = place.get("from")
        while not place.get("done"):
            events, start = self.server.messages(room, start)
            fresh = [event for event in events if self.is_fresh(event)]
            done = start is None or len(fresh) < len(events)
            place = {"done": True} if done else {"from": start}
            self.rooms[key] = place
            # Of what kind the room is stands in our table; it is filled in when it is written.
            yield self.page(Reader(self.scope, self.bot, {key: ""}).read(fresh))

    def is_fresh(self, event: object) -> bool:
        """Whether an event is young enough to be kept."""
        moment = event.get("origin_server_ts") if isinstance(event, Mapping) else None
        return isinstance(moment, int) and moment >= self.earliest

    def accounts(self) -> Iterator[Page]:
        """Find the people of accounts that are not linked yet."""
        if self.match == "none":
            return
        users = self.server.users()
        if users is None:
            yield self.page(nothing(), NO_ADMINISTRATOR)
            return
        content = nothing()
        for user in users:
            if user == self.bot or digest("account", self.scope, user) in self.known.linked:
                continue
            content["accounts"].append(account_of(self.scope, user, self.matches(user)))
            if len(content["accounts"]) == ACCOUNTS_IN_A_PAGE:
                yield self.page(content)
                content = nothing()
        if content["accounts"]:
            yield self.page(content)

    def matches(self, user: str) -> list[str]:
        """Return the digests under which a user's person may be found."""
        if self.match == "employee_number":
            return [employee_digest(user.partition(":")[0].removeprefix("@"))]
        return [address_digest(one) for one in self.server.addresses(user)[:2]]

    def key(self, room: str) -> str:
        """Return a room's digest."""
        return digest("group", self.scope, room)
