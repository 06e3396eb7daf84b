"""How delivery goes, for the administrator's page: one line of figures for each target."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import func, select

from lms.db import db
from lms.errors import NotFound
from xapi.outbox.models import OutboxStatement, Parked, Pending, TargetState
from xapi.sentences import Sentence, read_sentence
from xapi.targets import targets

PARKED_SHOWN = 50


@dataclass(frozen=True, slots=True)
class TargetReport:
    """One target: figures, moments, and what it refused.

    on: whether the settings still name it. moved: it leads elsewhere than it did when it was last
    tried, so that what was delivered before may be missing there. words: of the last failure,
    empty while all is well.
    """

    name: str
    label: object
    address: str
    on: bool
    moved: bool
    waiting: int
    delivered: int
    parked: int
    failures: int
    words: str
    last_success_at: dt.datetime | None
    next_try_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ParkedReport:
    """A refused statement: what it says, and the target's own words."""

    target: str
    outbox_id: int
    statement_id: str
    person_id: int
    sentence: Sentence
    parked_at: dt.datetime
    status: int
    words: str


def report() -> list[TargetReport]:
    """Return every target that is on, and those that are off and still have something waiting."""
    on = targets()
    states = {state.target: state for state in db.session.scalars(select(TargetState))}
    waiting = _counts(Pending)
    parked = _counts(Parked)
    left = sorted((waiting.keys() | parked.keys()) - on.keys())
    found = []
    for name in [*on, *left]:
        target, state = on.get(name), states.get(name)
        address = target.address if target else (state.address if state else "")
        found.append(
            TargetReport(
                name=name,
                label=target.label if target else name,
                address=address,
                on=target is not None,
                moved=bool(state and target and state.address and state.address != address),
                waiting=waiting.get(name, 0),
                delivered=state.delivered if state else 0,
                parked=parked.get(name, 0),
                failures=state.failures if state else 0,
                words=state.words if state and state.failures else "",
                last_success_at=state.last_success_at if state else None,
                next_try_at=state.next_try_at if state and state.failures else None,
            )
        )
    return found


def list_parked() -> Sequence[ParkedReport]:
    """Return what is parked, newest first, 50 at most."""
    rows = db.session.execute(
        select(Parked, OutboxStatement)
        .join(OutboxStatement, OutboxStatement.id == Parked.outbox_id)
        .order_by(Parked.parked_at.desc(), Parked.outbox_id.desc())
        .limit(PARKED_SHOWN)
    )
    return [
        ParkedReport(
            parked.target,
            parked.outbox_id,
            statement.statement_id,
            statement.person_id,
            read_sentence(orjson.loads(statement.text)),
            parked.parked_at,
            parked.status,
            parked.words,
        )
        for parked, statement in rows
    ]


def get_known(name: str) -> str:
    """Return the name of a target that is on or has rows; raises NotFound."""
    if name not in {one.name for one in report()}:
        raise NotFound("There is no record store of this name.")
    return name


def _counts(model: type[Pending] | type[Parked]) -> dict[str, int]:
    rows = db.session.execute(
        select(model.target, func.count().label("waiting")).group_by(model.target)
    )
    return {row.target: row.waiting for row in rows}


def check_delivery() -> str | None:
    """Say what is wrong with delivery, for `ropes doctor`."""
    for one in report():
        if one.failures:
            return (
                f"The record store “{one.label}” has failed {one.failures} times in a row: "
                f"{one.words} {one.waiting} statements wait. See the page Statements."
            )
        if one.parked:
            return (
                f"The record store “{one.label}” has refused {one.parked} statements. "
                "See the page Statements."
            )
    return None
