"""The embedded LRS as a target: in process and in bulk, never by HTTP to ourselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask_babel import lazy_gettext as _l

from lms.db import transaction
from lms.errors import DomainError
from xapi.delivery.outcome import Outcome, Verdict, cut
from xapi.delivery.target import Waiting
from xapi.lrs.credentials import authority_of
from xapi.lrs.errors import Conflicting
from xapi.lrs.store import lock_writers, prepare, store
from xapi.recorded import find_recorded

AUTHORITY = "ropes"


class EmbeddedTarget:
    """The store beside the outbox; a statement that is there already is left alone."""

    name = "embedded"
    label = _l("The built-in record store")
    address = ""
    in_process = True

    def __init__(self, version: int) -> None:
        self.version = version  # the major one of the standard, 1 or 2, that we speak to it

    def send(self, batch: Sequence[Waiting]) -> Outcome:
        """Store the batch in one transaction: what of it was not removed from the outbox meanwhile."""
        try:
            statements = [orjson.loads(one.text) for one in batch]
            prepared = prepare(statements, authority_of(AUTHORITY), self.version)
            with transaction():
                lock_writers()
                there = find_recorded([one.statement_id for one in prepared])
                store([one for one in prepared if one.statement_id in there])
        except Conflicting as error:
            return Outcome(Verdict.CONFLICT, error.status, cut(str(error)))
        except DomainError as error:
            return Outcome(Verdict.REFUSED, error.status, cut(str(error)))
        return Outcome(Verdict.DELIVERED, 200)

    def settle(self, one: Waiting) -> Outcome:
        """The store has compared already: a conflict is another statement."""
        outcome = self.send([one])
        if outcome.verdict is Verdict.CONFLICT:
            return Outcome(Verdict.REFUSED, outcome.status, outcome.words)
        return outcome


def find_target(config: Mapping[str, Any]) -> EmbeddedTarget | None:
    """Return the target, or None where it is off (LMS_LRS_EMBEDDED)."""
    if not config["LMS_LRS_EMBEDDED"]:
        return None
    return EmbeddedTarget(int(config["LMS_LRS_VERSION"].partition(".")[0]))
