"""The jobs that deliver.

For each target: take a batch in a short transaction, send it outside of any, note what became of
it in another. Killed at any point, what was not noted is sent once more; ids were given when the
statements were recorded, so that the target recognises them.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from lms import clock
from lms.db import db
from lms.jobs.queue import queue as jobs
from xapi.delivery import backfill, forward, queue
from xapi.delivery.lock import locks, only_one
from xapi.delivery.outcome import Outcome, Verdict, wait_seconds
from xapi.delivery.target import Target, Waiting
from xapi.delivery.writing import reading
from xapi.outbox import stores
from xapi.targets import SEND, targets

log = logging.getLogger(__name__)

RUN_MOST_SECONDS = 30.0
BREAKS_AFTER = 3  # failures in a row, after which a 500 is looked for in the statements
# Failures in a row, some quarters of an hour, after which one learner's statement that may be refused
# for good is no longer waited with: theirs that follow are tried, or nothing would ever tell.
PATIENCE = 10
LOOK_SECONDS = 0.25
DOUBTS_MOST = 3  # times that a statement alone is turned away while others are taken


def deliver() -> None:
    """Serve the targets in process, then ask for those over the network to be served."""
    stores.sweep_removed()
    remote = False
    for target in _targets():
        if target.in_process:
            with only_one(target.name) as ours:
                if ours:
                    serve(target)
        else:
            remote = remote or queue.is_due(target.name)
    if remote:
        jobs().wake(SEND)


def send() -> None:
    """Serve the targets over the network, each in a thread of its own: one that hangs delays none.

    While one is busy or hangs, the others are looked after: whatever becomes due is served at once.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    ended: SimpleQueue[str] = SimpleQueue()
    lost = threading.Event()

    def serve_one(target: Target) -> None:
        try:
            with app.app_context():
                serve(target, lost)
        except Exception:
            log.exception("delivery to %s broke off; it is tried again", target.name)
            left.add(target.name)
        finally:
            ended.put(target.name)

    busy: set[str] = set()
    left: set[str] = set()  # of another worker, or broken off: not in this run
    with locks() as ours:
        try:
            while True:
                for target in _targets():
                    name = target.name
                    if target.in_process or name in busy | left or not queue.is_due(name):
                        continue
                    if not ours.take(name):
                        left.add(name)
                        continue
                    busy.add(name)
                    threading.Thread(
                        target=serve_one, args=(target,), name=name, daemon=True
                    ).start()
                if not busy or not ours.hold():
                    return
                with suppress(Empty):
                    name = ended.get(timeout=LOOK_SECONDS)
                    busy.discard(name)
                    ours.give_back(name)
        finally:  # whatever broke: nobody goes on without a lock
            lost.set()
            while busy:
                busy.discard(ended.get())


def serve(target: Target, lost: threading.Event | None = None) -> None:
    """Deliver what waits for one target, until nothing does, it fails, or half a minute is over.

    Whoever calls holds the target's lock; `lost` is set when that is so no longer.
    """
    until = time.monotonic() + RUN_MOST_SECONDS
    while time.monotonic() < until and queue.is_due(target.name):
        sent = False
        for take_next in (_next_recorded, _next_forwarded):
            if lost is not None and lost.is_set():
                return
            batch = take_next(target.name)
            if batch:
                sent = True
                if not _deliver(target, batch):
                    return
        if not sent:
            return


def _targets() -> list[Target]:
    with reading():
        return list(targets().values())


def _next_recorded(target: str) -> list[Waiting]:
    """Return the next of what Ropes recorded; nobody's before their past (see backfill)."""
    while True:
        backfill.feed(target)
        batch = queue.take(target)
        early = backfill.find_early(target, batch)
        if not early:
            return batch
        backfill.pull(target, early)


def _next_forwarded(target: str) -> list[Waiting]:
    """Return the next of what other systems stored, where the target gets that too."""
    forward.feed(target)
    return forward.take(target)


def _deliver(target: Target, batch: Sequence[Waiting]) -> bool:
    """Deliver a batch, and note what became of it; return whether to go on."""
    outcome = _send(target, batch)
    if outcome.verdict is Verdict.DELIVERED:
        queue.delivered(target.name, target.address, batch)
        return True
    if outcome.verdict is Verdict.LATER:
        return _put_off(target, outcome)
    if outcome.verdict is Verdict.DOUBTFUL:
        suspected = any(one.doubts for one in batch)
        if (
            outcome.status != 403
            and not suspected
            and queue.failures_of(target.name) < BREAKS_AFTER
        ):
            return _put_off(target, outcome)
    search = _Search(target, strict=queue.failures_of(target.name) < PATIENCE)
    search.halve(batch, outcome)
    if search.stopped is not None:
        return _put_off(target, search.stopped)
    if not search.doubtful:
        return True
    if search.taken:
        for one, doubt in search.doubtful:
            if one.doubts + 1 >= DOUBTS_MOST:
                queue.park(target.name, one, doubt)
            else:
                queue.doubt(target.name, one)
    return _put_off(target, search.doubtful[0][1])


class _Search:
    """Finds, by halves, what in a batch is refused; what is taken on the way is noted at once.

    In order, as learners did things: while it is not known whether a statement is refused for
    good, nothing that its learner did later is sent (`strict`).
    """

    def __init__(self, target: Target, strict: bool) -> None:
        self.target, self.strict = target, strict
        self.taken = False
        self.stopped: Outcome | None = None
        self.doubtful: list[tuple[Waiting, Outcome]] = []
        self.held: set[int | None] = set()

    def halve(self, batch: Sequence[Waiting], outcome: Outcome) -> None:
        """Go on with a batch that was not taken as a whole."""
        if len(batch) == 1:
            self._single(batch[0], outcome)
            return
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            rest = [one for one in half if one.whose is None or one.whose not in self.held]
            if self.stopped is not None or not rest:
                continue
            answer = _send(self.target, rest)
            if answer.verdict is Verdict.DELIVERED:
                self._note(rest)
            elif answer.verdict is Verdict.LATER:
                self.stopped = answer
            else:
                self.halve(rest, answer)

    def _single(self, one: Waiting, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.CONFLICT:
            outcome = _ask(self.target, partial(self.target.settle, one))
        if outcome.verdict is Verdict.DELIVERED:
            self._note([one])
        elif outcome.verdict is Verdict.DOUBTFUL:
            self.doubtful.append((one, outcome))
            if self.strict:
                self.held.add(one.whose)
        elif outcome.verdict is Verdict.REFUSED:
            queue.park(self.target.name, one, outcome)
        else:
            self.stopped = outcome

    def _note(self, batch: Sequence[Waiting]) -> None:
        self.taken = True
        queue.delivered(self.target.name, self.target.address, batch)


def _send(target: Target, batch: Sequence[Waiting]) -> Outcome:
    return _ask(target, partial(target.send, batch))


def _ask(target: Target, act: Callable[[], Outcome]) -> Outcome:
    """Let a target act. Whatever breaks in it is shown and tried later, as if it had not answered."""
    db.session.rollback()  # no transaction, no connection while the network is waited for
    try:
        return act()
    except SQLAlchemyError:
        raise  # our own database's trouble, and no target's
    except Exception as error:
        log.exception("delivery to %s broke off; it is tried again", target.name)
        db.session.rollback()
        return Outcome(Verdict.LATER, 0, f"Sending broke off here: {type(error).__name__}.")


def _put_off(target: Target, outcome: Outcome) -> bool:
    config = current_app.config
    seconds = wait_seconds(
        queue.failures_of(target.name) + 1,
        outcome.retry_after_seconds,
        config["LMS_LRS_RETRY_SECONDS"],
        config["LMS_LRS_RETRY_MOST_SECONDS"],
    )
    moment = clock.now() + dt.timedelta(seconds=seconds)
    queue.failed(target.name, target.address, outcome, moment)
    return False
