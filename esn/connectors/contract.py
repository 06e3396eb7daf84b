"""What a connector is. Ours and a stranger's come by the entry point group `esn.connectors`.

A connector is a class without state of its own; everything durable is in the `esn_connector` row.
The order of a push is fixed by `esn.intake`: verify, greet, whitelist, store, answer; a job does
the rest. docs/administrators/networks/connectors.md shows how to write one.
What a connector returns from `whitelist` is all that is ever stored or logged of a delivery.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

from esn.ledger.records import Whitelisted
from esn.models import Connector
from lms.errors import DomainError, Invalid, NotFound

ENTRY_POINTS = "esn.connectors"


class NotProved(DomainError):
    """The sender of a delivery could not prove who it is (401). Never says which part failed."""

    status = 401


Answer = tuple[Any, int]  # what is answered as JSON, and the status


@dataclass(frozen=True, slots=True)
class Push:
    """A delivery as it came in: headers by lower-case name, the raw body.

    path: what follows the connector's own address, without a slash at its start. query: the
    address's parameters, for networks that prove themselves there.
    """

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What a backfill need not ask for again.

    left_out: digests of groups that an administrator does not want to be read. linked: digests of
    accounts that are linked with people already. since: nothing older than this is wanted.
    """

    left_out: frozenset[str] = frozenset()
    linked: frozenset[str] = frozenset()
    since: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a backfill: what it holds, and the cursor from which to go on.

    cursor: stored with the content in one transaction, so that a backfill that was interrupted
    goes on where it was. trouble: what does not work, in a sentence for the administrator
    (`lms.errors.Sentence`).
    """

    content: Whitelisted
    cursor: dict[str, Any]
    trouble: str = ""


class NetworkSilent(DomainError):
    """The network did not answer as it should; says in words what to look at (503)."""

    status = 503


@runtime_checkable
class NetworkConnector(Protocol):
    """One kind of network.

    kind: the entry point's name. about: one sentence for the administrator who chooses. verbs:
    which acts it can report. reports_client: whether it may say from which kind of device an act
    came. Of one that may not nobody is asked for a device; of one that may, from the first act on
    that says so (`Connector.told_client`). pushes, reads_back: how it learns of acts.
    look_at: where to look when nothing comes, a sentence for the administrator.
    """

    kind: str
    label: Any
    about: Any
    verbs: frozenset[str]
    reports_client: bool
    pushes: bool
    reads_back: bool
    look_at: Any

    def verify(self, connector: Connector, push: Push) -> None:
        """Raise NotProved unless the sender proves itself; fail closed where no secret is set."""
        ...

    def greet(self, connector: Connector, push: Push) -> Answer | None:
        """Answer a proved push that carries no acts (a ping, a challenge); None for all others."""
        ...

    def key(self, connector: Connector, push: Push) -> str:
        """Return what makes this delivery the same as an earlier one (it is then not stored)."""
        ...

    def whitelist(self, connector: Connector, push: Push) -> Whitelisted:
        """Return what is kept, ids digested; raises Invalid, naming the property that is wrong."""
        ...

    def answer(self, content: Whitelisted, new: bool) -> Answer:
        """Return what the network wants to hear once the delivery is stored, or was before."""
        ...

    def backfill(self, connector: Connector, known: Known) -> Iterator[Page]:
        """Read the past from `connector.cursor` on, page by page; nothing where it cannot.

        It runs in a job, outside of any transaction, with a connector row that is detached: talk
        to the network, not to the database. Raises NetworkSilent.
        """
        ...

    def setting_up(self, connector: Connector) -> str | None:
        """Return what still has to be set before it works, in a sentence; None when it is ready."""
        ...


@cache
def kinds() -> Mapping[str, NetworkConnector]:
    """Return one connector of each installed kind; what is installed is looked for once."""
    found: dict[str, NetworkConnector] = {}
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        made = entry.load()()
        if made.kind != entry.name:
            raise Invalid(
                "The connector %(value)s calls itself %(kind)s.", value=entry.value, kind=made.kind
            )
        found[entry.name] = made
    return found


def get_kind(kind: str) -> NetworkConnector:
    """Return the connector of a kind; raises NotFound where it is not installed."""
    found = kinds().get(kind)
    if found is None:
        raise NotFound("No connector for “%(kind)s” is installed here.", kind=kind)
    return found
