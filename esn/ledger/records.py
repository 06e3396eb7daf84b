"""What a connector hands on: acts, and what is known of accounts and groups. Whitelisted, digested.

They travel as plain dicts, since they wait as JSON in `esn_delivery`.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict


class ActRecord(TypedDict):
    """One act. All ids are digests. `at` is RFC 3339 in UTC.

    object: what the act made (a post, a reply, a reaction) or was about (a group joined). parent:
    the content it answers; where the network does not say whom that is, `recipient` is found in
    the ledger.
    """

    event: str
    at: str
    verb: str
    actor: str
    object: NotRequired[str]
    parent: NotRequired[str]
    group: NotRequired[str]
    group_kind: NotRequired[str]
    recipient: NotRequired[str]
    client: NotRequired[str]
    kind: NotRequired[str]
    count: NotRequired[int]


class AccountRecord(TypedDict):
    """An account (digest) with the digests under which its person may be found, best first."""

    account: str
    matches: list[str]


class GroupRecord(TypedDict):
    """A group (digest), whether it is open to everybody, and its name only if it is."""

    group: str
    open: bool
    name: NotRequired[str]


class Whitelisted(TypedDict):
    """What is kept of one delivery.

    removed: digests of content, or of events, that were deleted in the network. look_again: the
    network has changed in a way that a backfill should look at (we were let into a group).
    """

    accounts: list[AccountRecord]
    acts: list[ActRecord]
    removed: list[str]
    groups: NotRequired[list[GroupRecord]]
    look_again: NotRequired[bool]


def nothing() -> Whitelisted:
    """Return an empty delivery, to be filled."""
    return Whitelisted(accounts=[], acts=[], removed=[])
