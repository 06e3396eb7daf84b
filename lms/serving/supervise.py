"""Keeping processes running side by side: one that dies is started again, all are stopped together.

What `ropes serve` is: processes of the web server and a worker, forked from one that has loaded
everything, whose memory they share. On SIGTERM or SIGINT each is asked to finish what it is doing;
one that has not after STOP_SECONDS is killed (jobs are made for that). Whoever starts them must
have no other thread and no connection open.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkProcess

log = logging.getLogger(__name__)

STOP_SECONDS = 30
WATCH_SECONDS = 0.2
# A process that dies younger than this has not started well; so many in a row end it all.
YOUNG_SECONDS = 10
YOUNG_DEATHS = 5
LONGEST_PAUSE_SECONDS = 10

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
PR_SET_PDEATHSIG = 1  # prctl(2)
_fork = multiprocessing.get_context("fork")


@dataclass
class Child:
    """A process to keep running: `run` works in it until the event that it is given is set."""

    name: str
    run: Callable[[threading.Event], None]
    process: ForkProcess | None = None
    started: float = 0.0
    young_deaths: int = 0
    start_at: float = 0.0

    def start(self) -> None:
        """Start it; should this process be killed, the kernel asks it to stop."""
        self.started = time.monotonic()
        self.process = _fork.Process(target=_be, args=(self.run, os.getpid()), name=self.name)
        # A signal that comes before the child knows what to do with it waits until then.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def watch(self) -> bool:
        """Start it again if it has died; return False once it keeps dying at birth."""
        moment = time.monotonic()
        if self.process is None:
            if moment >= self.start_at:
                self.start()
            return True
        code = self.process.exitcode
        if code is None:
            return True
        self.process.close()
        self.process = None
        young = moment - self.started < YOUNG_SECONDS
        self.young_deaths = self.young_deaths + 1 if young else 0
        log.error("the %s ended by itself (exit code %s)", self.name, code)
        if self.young_deaths >= YOUNG_DEATHS:
            return False
        self.start_at = moment + min(LONGEST_PAUSE_SECONDS, 0.5 * self.young_deaths)
        return True


def _be(run: Callable[[threading.Event], None], parent: int) -> None:
    """Be the child: run until told to stop, by a signal or by the parent's death.

    Nobody may be left to kill one that does not stop, so it sees to that itself.
    """
    stop = threading.Event()

    def heed(*_: object) -> None:
        signal.alarm(STOP_SECONDS)
        stop.set()

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for number in STOP_SIGNALS:
        signal.signal(number, heed)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == parent:  # else it has died before the kernel was told
        run(stop)


def supervise(children: Sequence[Child], stop: threading.Event) -> int:
    """Run the children until `stop` is set; return the exit code for this process.

    Call it in the main thread: the kernel's word to a child that its parent has died goes by
    threads.
    """
    code = 0
    try:
        for child in children:
            child.start()
        while not stop.wait(WATCH_SECONDS):
            failed = [child for child in children if not child.watch()]
            if failed:
                log.critical("the %s does not start; giving up", failed[0].name)
                code = 1
                break
    finally:
        stop_all(children)
    return code


def stop_all(children: Sequence[Child]) -> None:
    """Ask every child to stop, wait, and kill those that do not."""
    running = [child.process for child in children if child.process is not None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in running:
        process.join(max(0.1, deadline - time.monotonic()))
        if process.is_alive():
            log.warning("process %s did not stop in time and is killed", process.pid)
            process.kill()
            process.join()
