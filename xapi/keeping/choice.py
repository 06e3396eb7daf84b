"""What is to be written into files: all of the store, or a part of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STATEMENTS, ATTACHMENTS, DOCUMENTS = "statements", "attachments", "documents"


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen; what is None or empty does not narrow.

    agents: keys (`xapi.lrs.parts.find_agent_key`): statements that name one of these anywhere, and
    those that target such a one. since, until: when they were stored; after the one, up to and with
    the other. verb: an IRI. voided: whether voided statements are in it.
    """

    agents: tuple[str, ...] = ()
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    verb: str | None = None
    voided: bool = True
    attachments: bool = False
    documents: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The files that it makes, in their order."""
        chosen = [STATEMENTS]
        if self.attachments:
            chosen.append(ATTACHMENTS)
        if self.documents:
            chosen.append(DOCUMENTS)
        return tuple(chosen)

    @property
    def whole(self) -> bool:
        """Whether every statement is in it."""
        return not self.agents and not self.verb and not self.since and not self.until

    def plain(self) -> dict[str, Any]:
        """Return it as JSON can carry it."""
        return {
            "agents": list(self.agents),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "verb": self.verb,
            "voided": self.voided,
            "attachments": self.attachments,
            "documents": self.documents,
        }


def read_choice(plain: Mapping[str, Any]) -> Choice:
    """Return what `Choice.plain` wrote."""

    def moment(name: str) -> dt.datetime | None:
        return dt.datetime.fromisoformat(plain[name]) if plain[name] else None

    return Choice(
        agents=tuple(plain["agents"]),
        since=moment("since"),
        until=moment("until"),
        verb=plain["verb"],
        voided=plain["voided"],
        attachments=plain["attachments"],
        documents=plain["documents"],
    )
