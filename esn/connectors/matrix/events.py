"""From Matrix events to acts. Pure: what is not read here is never stored.

Of an event we read its type, id, sender, room, moment, and from its content only how it relates to
other events, whom it mentions, and a membership. Bodies, file names, addresses and devices are not
looked at. (Matrix client-server API 1.11: 11.8 event types, 11.32 relations, 11.35 threads.)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from esn.digests import digest
from esn.ledger.records import AccountRecord, ActRecord, GroupRecord, Whitelisted, nothing
from esn.vocabulary import Act

MESSAGES = frozenset({"m.room.message", "m.room.encrypted", "m.sticker", "m.poll.start"})
MENTIONS_MAX = 10  # whoever mentions more speaks to a crowd, not to a person
ID_MAX_CHARS = 255
Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads events of one connector.

    scope: the connector's uid, part of every digest. bot: our own user, whose acts are nobody's.
    groups: digest of each room that counts, with its kind; an event of any other room is dropped.
    """

    scope: str
    bot: str
    groups: Mapping[str, str]

    def read(self, events: list[Any]) -> Whitelisted:
        """Return what is kept of these events; what cannot be understood is left out."""
        kept = nothing()
        kept["groups"] = []
        closed: set[str] = set()
        for event in events:
            if not isinstance(event, Mapping) or not _has_ids(event):
                continue
            room = self.key("group", event["room_id"])
            if event.get("type") == "m.room.join_rules":
                group = self.join_rules(event, room)
                if group is not None:
                    kept["groups"].append(group)
                    closed.add(room)
            elif self.is_our_own_joining(event):
                kept["look_again"] = True
            elif room in self.groups and room not in closed and event["sender"] != self.bot:
                self.read_counted(event, room, kept)
        return kept

    def read_counted(self, event: Event, room: str, kept: Whitelisted) -> None:
        """Read an event of a room that counts."""
        if event.get("type") == "m.room.redaction":
            target = event.get("redacts") or _content(event).get("redacts")
            if isinstance(target, str) and _is_id(target):
                kept["removed"].append(self.key("object", target))
            return
        kept["acts"].extend(self.acts(event, room))

    def acts(self, event: Event, room: str) -> Iterator[ActRecord]:
        """Yield the acts that an event tells; none for most types."""
        content = _content(event)
        if not content:  # redacted meanwhile
            return
        kind = event.get("type")
        if kind in MESSAGES:
            yield from self.message(event, content, room)
        elif kind == "m.reaction":
            relation = _relation(content)
            if relation.get("rel_type") == "m.annotation" and _is_id(relation.get("event_id")):
                act = self.act(event, Act.REACTED, room)
                act["parent"] = self.key("object", relation["event_id"])
                yield act
        elif kind == "m.room.member" and event.get("state_key") == event["sender"]:
            was = _earlier_membership(event)
            now = content.get("membership")
            if now == "join" and was != "join":  # a change of one's name is a join again
                yield self.act(event, Act.JOINED, room, about=room)
            elif now == "leave" and was == "join":
                yield self.act(event, Act.LEFT, room, about=room)

    def message(self, event: Event, content: Mapping[str, Any], room: str) -> Iterator[ActRecord]:
        """A post, or a reply in a thread or to a message; an edit is neither."""
        relation = _relation(content)
        if relation.get("rel_type") == "m.replace":
            return
        parent = _answered(relation)
        act = self.act(event, Act.POSTED if parent is None else Act.REPLIED, room)
        if parent is not None:
            act["parent"] = self.key("object", parent)
        yield act
        if parent is None:  # clients put the person answered among the mentions of a reply
            yield from self.mentions(event, content, room)

    def mentions(self, event: Event, content: Mapping[str, Any], room: str) -> Iterator[ActRecord]:
        """A mention for each person named."""
        mentioned = content.get("m.mentions")
        named = mentioned.get("user_ids") if isinstance(mentioned, Mapping) else None
        users = sorted({one for one in named if _is_id(one)}) if isinstance(named, list) else []
        if len(users) > MENTIONS_MAX:
            return
        for user in users:
            act = self.act(event, Act.MENTIONED, room)
            act["event"] = self.key("event", event["event_id"], user)
            act["recipient"] = self.key("account", user)
            yield act

    def act(self, event: Event, verb: Act, room: str, about: str | None = None) -> ActRecord:
        """Return the act of an event, without what it answers."""
        moment = dt.datetime.fromtimestamp(event["origin_server_ts"] / 1000, dt.UTC)
        return ActRecord(
            event=self.key("event", event["event_id"]),
            at=moment.isoformat(),
            verb=verb.value,
            actor=self.key("account", event["sender"]),
            object=about or self.key("object", event["event_id"]),
            group=room,
            group_kind=self.groups[room],
        )

    def join_rules(self, event: Event, room: str) -> GroupRecord | None:
        """A room that is no longer open to everybody is not read from here on.

        One that is opened is looked at by the backfill, which asks the homeserver itself.
        """
        if event.get("state_key") != "" or _content(event).get("join_rule") == "public":
            return None
        return GroupRecord(group=room, open=False)

    def is_our_own_joining(self, event: Event) -> bool:
        """Whether this tells that our user was let into a room."""
        return (
            event.get("type") == "m.room.member"
            and event.get("state_key") == self.bot
            and _content(event).get("membership") == "join"
        )

    def key(self, purpose: str, *ids: str) -> str:
        """Return the digest of an id of this network."""
        return digest(purpose, self.scope, *ids)


def account_of(scope: str, user: str, matches: list[str]) -> AccountRecord:
    """Return what is kept of a user: digests."""
    return AccountRecord(account=digest("account", scope, user), matches=matches)


def _has_ids(event: Event) -> bool:
    moment = event.get("origin_server_ts")
    return (
        all(_is_id(event.get(name)) for name in ("event_id", "room_id", "sender"))
        and isinstance(moment, int)
        and 0 < moment < 253402300800000  # the year 10000, which datetime cannot hold
    )


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= ID_MAX_CHARS


def _content(event: Event) -> Mapping[str, Any]:
    content = event.get("content")
    return content if isinstance(content, Mapping) else {}


def _relation(content: Mapping[str, Any]) -> Mapping[str, Any]:
    relation = content.get("m.relates_to")
    return relation if isinstance(relation, Mapping) else {}


def _answered(relation: Mapping[str, Any]) -> str | None:
    """Return the id of the event that is answered: the one replied to, else the thread's first."""
    reply = relation.get("m.in_reply_to")
    replied = reply.get("event_id") if isinstance(reply, Mapping) else None
    root = relation.get("event_id") if relation.get("rel_type") == "m.thread" else None
    # In a thread, clients add a reply to the last message for those that know no threads.
    fallback = root is not None and relation.get("is_falling_back") is True
    for found in (None if fallback else replied, root, replied):
        if _is_id(found):
            return str(found)
    return None


def _earlier_membership(event: Event) -> object:
    for holder in (event.get("unsigned"), event):
        if isinstance(holder, Mapping) and isinstance(holder.get("prev_content"), Mapping):
            return holder["prev_content"].get("membership")
    return None
