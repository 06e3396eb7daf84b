"""The jobs that deliver.

For each target: take a batch in a short transaction, send it outside of any, note what became of
it in another. Killed at any point, what was not noted is sent once more; ids were given when the
statements were recorded, so that the target recognises them.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Sequence

from flask import Flask, current_app

from lms import clock
from lms.db import db
from lms.jobs.queue import queue as jobs
from xapi.delivery import queue
from xapi.delivery.lock import only_one
from xapi.delivery.outcome import Outcome, Verdict, wait_seconds
from xapi.delivery.target import Target, Waiting
from xapi.targets import SEND, targets

RUN_MOST_SECONDS = 30.0
BREAKS_AFTER = 3  # failures in a row, after which a 500 is looked for in the statements
DOUBTS_MOST = 3  # times that a statement alone is turned away while others are taken


def deliver() -> None:
    """Serve the targets in process, then ask for those over the network to be served."""
    remote = False
    for target in targets().values():
        if target.in_process:
            serve(target)
        else:
            remote = remote or queue.is_due(target.name)
    if remote:
        jobs().wake(SEND)


def send() -> None:
    """Serve the targets over the network, each in a thread of its own: one that hangs delays none."""
    due = [
        target
        for target in targets().values()
        if not target.in_process and queue.is_due(target.name)
    ]
    if len(due) == 1:
        serve(due[0])
        return
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def serve_one(target: Target) -> None:
        with app.app_context():
            serve(target)

    threads = [threading.Thread(target=serve_one, args=(one,), name=one.name) for one in due]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def serve(target: Target) -> None:
    """Deliver what waits for one target, until nothing does, it fails, or half a minute is over."""
    until = time.monotonic() + RUN_MOST_SECONDS
    with only_one(target.name) as ours:
        while ours and time.monotonic() < until and queue.is_due(target.name):
            batch = queue.take(target.name)
            if not batch or not _deliver(target, batch):
                return


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
    search = _Search(target)
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
    """Finds, by halves, what in a batch is refused; what is taken on the way is noted at once."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.taken = False
        self.stopped: Outcome | None = None
        self.doubtful: list[tuple[Waiting, Outcome]] = []

    def halve(self, batch: Sequence[Waiting], outcome: Outcome) -> None:
        """Go on with a batch that was not taken as a whole; in order, as learners did things."""
        if len(batch) == 1:
            self._single(batch[0], outcome)
            return
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            if self.stopped is not None:
                return
            answer = _send(self.target, half)
            if answer.verdict is Verdict.DELIVERED:
                self._note(half)
            elif answer.verdict is Verdict.LATER:
                self.stopped = answer
            else:
                self.halve(half, answer)

    def _single(self, one: Waiting, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.CONFLICT:
            outcome = self.target.settle(one)
        if outcome.verdict is Verdict.DELIVERED:
            self._note([one])
        elif outcome.verdict is Verdict.DOUBTFUL:
            self.doubtful.append((one, outcome))
        elif outcome.verdict is Verdict.REFUSED:
            queue.park(self.target.name, one, outcome)
        else:
            self.stopped = outcome

    def _note(self, batch: Sequence[Waiting]) -> None:
        self.taken = True
        queue.delivered(self.target.name, self.target.address, batch)


def _send(target: Target, batch: Sequence[Waiting]) -> Outcome:
    db.session.rollback()  # no transaction, no connection while the network is waited for
    return target.send(batch)


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
