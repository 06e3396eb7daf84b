"""A target: somewhere that statements are delivered to, and where targets come from.

Two come with the suite: the embedded LRS, and one LRS over HTTP by the settings `LMS_LRS_*`. A
package of somebody else's adds its own under the entry point group `xapi.targets`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from xapi.delivery.outcome import Outcome

ENTRY_POINTS = "xapi.targets"
# The versions of the standard that we speak to targets: xAPI 1.0.3, and IEEE 9274.1.1.
VERSIONS = ("1.0.3", "2.0.0")


def parse_version(text: str) -> str:
    """Read the setting LMS_LRS_VERSION; ValueError with the versions that are known."""
    if text.strip() not in VERSIONS:
        raise ValueError(f"write one of: {', '.join(VERSIONS)}")
    return text.strip()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A statement that waits for a target.

    row: its row in the outbox or, where `forwarded`, in the built-in store, which another system
    had stored it in. attached: what is sent along: hash, media type and bytes.
    """

    row: int
    statement_id: str
    text: str  # JSON
    doubts: int = 0  # how often it alone was turned away for a reason that may have been passing
    whose: int | None = None  # the learner, where we know one
    forwarded: bool = False
    attached: tuple[tuple[str, str, bytes], ...] = ()


class Target(Protocol):
    """Somewhere to deliver to.

    name: short, stable; kept in the rows of what waits. label: for people. address: where it
    leads, without secrets. in_process: whether it stores in our own database, so that it is served
    before those for which there is network to wait for.
    """

    name: str
    label: object
    address: str
    in_process: bool

    def send(self, batch: Sequence[Waiting]) -> Outcome:
        """Deliver all of the batch or nothing, in order; called outside any transaction."""
        ...

    def settle(self, one: Waiting) -> Outcome:
        """Judge a conflict (409): delivered if the target holds the same statement, else refused."""
        ...
