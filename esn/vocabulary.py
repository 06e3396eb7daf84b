"""The acts the suite knows, and the words they come in: a closed vocabulary for every network."""

from __future__ import annotations

from enum import StrEnum


class Act(StrEnum):
    """What somebody did in the network. A connector maps its network's own words to these."""

    POSTED = "posted"
    REPLIED = "replied"
    COMMENTED = "commented"
    REACTED = "reacted"
    SHARED = "shared"
    MENTIONED = "mentioned"
    ASKED = "asked"
    ANSWERED = "answered"
    SEARCHED = "searched"
    JOINED = "joined"
    LEFT = "left"
    FOLLOWED = "followed"
    UPDATED = "updated"


# Acts that make content which others can answer; its author is whom an answer is for.
CREATING = tuple(
    act.value
    for act in (Act.POSTED, Act.REPLIED, Act.COMMENTED, Act.SHARED, Act.ASKED, Act.ANSWERED)
)
GROUP_KINDS = ("work", "social", "leaders", "news", "help")


class Client(StrEnum):
    """From what kind of device an act came; many networks do not say."""

    MOBILE = "mobile"
    DESKTOP = "desktop"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """How an act came to be known: one signed event, or a day's count made by the network."""

    EVENT = "event"
    AGGREGATE = "aggregate"


GROUP_KIND_MAX_CHARS = 32

# Not an act: the verb of an event that says that an earlier event's content was deleted.
REMOVED = "removed"
