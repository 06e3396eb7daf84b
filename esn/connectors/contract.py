"""What a connector is. Ours and a stranger's come by the entry point group `esn.connectors`.

A connector is a class without state of its own; everything durable is in the `esn_connector` row.
The order of a push is fixed by `esn.intake`: verify, whitelist, store, answer; a job does the rest.
What a connector returns from `whitelist` is all that is ever stored or logged of a delivery.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

from esn.ledger.records import Whitelisted
from esn.models import Connector
from lms.errors import DomainError, Invalid, NotFound

ENTRY_POINTS = "esn.connectors"


class NotProved(DomainError):
    """The sender of a delivery could not prove who it is (401). Never says which part failed."""

    status = 401


@dataclass(frozen=True, slots=True)
class Push:
    """A delivery as it came in: headers by lower-case name, the raw body, the path's last part."""

    headers: Mapping[str, str]
    body: bytes
    transaction: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a backfill: what it holds, and the cursor from which to go on (None: done)."""

    content: Whitelisted
    cursor: dict[str, Any] | None


@runtime_checkable
class NetworkConnector(Protocol):
    """One kind of network.

    kind: the entry point's name. verbs: which acts it can report. reports_client: whether it says
    from which kind of device an act came; a condition on the client is offered only then.
    """

    kind: str
    label: Any
    verbs: frozenset[str]
    reports_client: bool

    def verify(self, connector: Connector, push: Push) -> None:
        """Raise NotProved unless the sender proves itself; fail closed where no secret is set."""
        ...

    def key(self, connector: Connector, push: Push) -> str:
        """Return what makes this delivery the same as an earlier one (it is then not stored)."""
        ...

    def whitelist(self, connector: Connector, push: Push) -> Whitelisted:
        """Return what is kept, ids digested; raises Invalid, naming the property that is wrong."""
        ...

    def backfill(self, connector: Connector) -> Iterator[Page]:
        """Read the past from `connector.cursor` on, page by page; nothing where it cannot."""
        ...


def kinds() -> dict[str, NetworkConnector]:
    """Return one connector of each installed kind."""
    found: dict[str, NetworkConnector] = {}
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        made = entry.load()()
        if made.kind != entry.name:
            raise Invalid(f"The connector {entry.value} calls itself {made.kind}.")
        found[entry.name] = made
    return found


def get_kind(kind: str) -> NetworkConnector:
    """Return the connector of a kind; raises NotFound where it is not installed."""
    found = kinds().get(kind)
    if found is None:
        raise NotFound(f"No connector for “{kind}” is installed here.")
    return found
