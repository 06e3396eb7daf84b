"""The two things a connector hands on: acts, and what is known of accounts. Whitelisted, digested.

They travel as plain dicts, since they wait as JSON in `esn_delivery`.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict


class ActRecord(TypedDict):
    """One act. All ids are digests. `at` is RFC 3339 in UTC."""

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
    """An account (digest) with the digests under which its person may be found."""

    account: str
    matches: list[str]


class Whitelisted(TypedDict):
    """What is kept of one delivery."""

    accounts: list[AccountRecord]
    acts: list[ActRecord]
    removed: list[str]  # digests of objects whose content was deleted in the network
