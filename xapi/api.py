"""The only door into xapi: what has happened is recorded here, and delivered from here.

A statement is written to the outbox in the caller's transaction: it exists exactly when what it
tells exists. Ids are assigned here, before the first try to deliver, so that no retry can double
one (xAPI 1.0.3, Data 2.4.1). A job delivers the outbox to every target.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tincan import Statement


def record(person_id: int, statement: Statement) -> str:
    """Record one statement about a person, in the present transaction; return its id (a UUID).

    `statement` comes from `xapi.build`. Without a timestamp it gets the present moment.
    """
    raise NotImplementedError


def record_many(rows: Sequence[tuple[int, dict[str, Any]]]) -> list[str]:
    """Record many statements made from templates (plain dicts, not tincan objects), in order.

    For jobs that turn thousands of acts into statements; each row is (person_id, statement).
    """
    raise NotImplementedError
