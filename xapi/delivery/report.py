"""How delivery goes, for the administrator's page: one line of figures for each target."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import func, select

from lms import clock
from lms.db import db
from lms.errors import NotFound
from xapi.delivery import backfill, forward
from xapi.delivery.backfill import Progress
from xapi.delivery.target import Target
from xapi.lrs.models import LrsStatement
from xapi.outbox import stores
from xapi.outbox.models import Forward, OutboxStatement, Parked, Pending, Store, TargetState
from xapi.sentences import Sentence, read_sentence
from xapi.targets import settled

PARKED_SHOWN = 50
WORTH_SAYING = dt.timedelta(minutes=5)  # that something waits; seconds are how it always is


@dataclass(frozen=True, slots=True)
class TargetReport:
    """One target: figures, moments, and what it refused.

    on: whether there is such a target still. added: an administrator added it, and may change it.
    paused: nothing is sent until it is resumed. everything: it gets what other systems stored, too.
    moved: it leads elsewhere than it did when it was last tried, so that what was delivered before
    may be missing there. oldest_at: since when the first that waits has waited; None where none
    does for minutes, or the past is being sent, which is old by itself. words: of the last failure,
    empty while all is well. past: how far *send everything since* is, or how it ended.
    """

    name: str
    label: object
    address: str
    on: bool
    added: bool
    paused: bool
    everything: bool
    moved: bool
    waiting: int
    oldest_at: dt.datetime | None
    delivered: int
    parked: int
    failures: int
    words: str
    last_success_at: dt.datetime | None
    next_try_at: dt.datetime | None
    past: Progress | None


@dataclass(frozen=True, slots=True)
class ParkedReport:
    """A refused statement: what it says, and the target's own words.

    row: in the outbox or, where `forwarded`, in the built-in store; then person_id is None.
    """

    target: str
    row: int
    forwarded: bool
    statement_id: str
    person_id: int | None
    sentence: Sentence
    parked_at: dt.datetime
    status: int
    words: str


def report(only: str | None = None) -> list[TargetReport]:
    """Return every target (or this one), and those that are off and still have something waiting."""
    added = {one.name: one for one in stores.list_all()}
    on: dict[str, Target | Store] = {**settled(), **added}
    states = {state.target: state for state in db.session.scalars(select(TargetState))}
    waiting, parked = _counts(Pending), _counts(Parked)
    for name, (waits, aside) in forward.counts().items():
        waiting[name] = waiting.get(name, 0) + waits
        parked[name] = parked.get(name, 0) + aside
    left = sorted((waiting.keys() | parked.keys()) - on.keys() - set(stores.removed()))
    past = backfill.progress()
    found = []
    for name in [*on, *left]:
        if only is not None and name != only:
            continue
        target, store, state = on.get(name), added.get(name), states.get(name)
        address = state.address if state else ""
        if target is not None:
            address = target.endpoint if isinstance(target, Store) else target.address
        found.append(
            TargetReport(
                name=name,
                label=target.label if target else name,
                address=address,
                on=target is not None,
                added=store is not None,
                paused=store is not None and store.paused,
                everything=store is not None and store.everything,
                moved=bool(state and target and state.address and state.address != address),
                waiting=waiting.get(name, 0),
                oldest_at=_oldest(name) if waiting.get(name) and _is_over(past.get(name)) else None,
                delivered=state.delivered if state else 0,
                parked=parked.get(name, 0),
                failures=state.failures if state else 0,
                words=state.words if state and state.failures else "",
                last_success_at=state.last_success_at if state else None,
                next_try_at=state.next_try_at if state and state.failures else None,
                past=past.get(name),
            )
        )
    return found


def list_parked() -> Sequence[ParkedReport]:
    """Return what is parked, newest first, 50 at most."""
    ours = db.session.execute(
        select(Parked, OutboxStatement)
        .join(OutboxStatement, OutboxStatement.id == Parked.outbox_id)
        .order_by(Parked.parked_at.desc(), Parked.outbox_id.desc())
        .limit(PARKED_SHOWN)
    )
    found = [
        _parked(one.target, one, row.id, row.statement_id, row.person_id, row.text)
        for one, row in ours
    ]
    others = db.session.execute(
        select(Forward, LrsStatement.id, LrsStatement.statement_id, LrsStatement.text)
        .join(LrsStatement, LrsStatement.id == Forward.statement)
        .where(Forward.parked_at.is_not(None))
        .order_by(Forward.parked_at.desc(), Forward.statement.desc())
        .limit(PARKED_SHOWN)
    )
    found += [
        _parked(one.target, one, row_id, statement_id, None, text)
        for one, row_id, statement_id, text in others
    ]
    gone = set(stores.removed())
    found = [one for one in found if one.target not in gone]
    return sorted(found, key=lambda one: one.parked_at, reverse=True)[:PARKED_SHOWN]


def _parked(
    target: str,
    one: Parked | Forward,
    row: int,
    statement_id: str,
    person_id: int | None,
    text: str,
) -> ParkedReport:
    return ParkedReport(
        target,
        row,
        isinstance(one, Forward),
        statement_id,
        person_id,
        read_sentence(orjson.loads(text)),
        one.parked_at or clock.now(),
        one.status,
        one.words,
    )


def get_report(name: str) -> TargetReport:
    """Return how delivery to one target goes; raises NotFound."""
    found = report(name)
    if not found:
        raise NotFound("There is no record store of this name.")
    return found[0]


def get_known(name: str) -> str:
    """Return the name of a target that is on or has rows; raises NotFound."""
    return get_report(name).name


def _is_over(past: Progress | None) -> bool:
    return past is None or past.over


def _oldest(target: str) -> dt.datetime | None:
    """Return when the first that waits was recorded, or stored by another system: two seeks."""
    recorded = (
        select(OutboxStatement.recorded_at)
        .join(Pending, Pending.outbox_id == OutboxStatement.id)
        .where(Pending.target == target)
        .order_by(Pending.outbox_id)
        .limit(1)
    )
    stored = (
        select(LrsStatement.stored)
        .join(Forward, Forward.statement == LrsStatement.id)
        .where(Forward.target == target, Forward.parked_at.is_(None))
        .order_by(Forward.statement)
        .limit(1)
    )
    found = [db.session.scalar(recorded), db.session.scalar(stored)]
    oldest = min((moment for moment in found if moment is not None), default=None)
    return oldest if oldest is not None and oldest < clock.now() - WORTH_SAYING else None


def _counts(model: type[Pending] | type[Parked]) -> dict[str, int]:
    rows = db.session.execute(
        select(model.target, func.count().label("waiting")).group_by(model.target)
    )
    return {row.target: row.waiting for row in rows}


def check_delivery() -> str | None:
    """Say what is wrong with delivery, for `ropes doctor`."""
    for one in report():
        if one.failures and not one.paused:
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
