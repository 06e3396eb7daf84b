"""Keeping programs running side by side: one that dies is started again, all are stopped together.

What `ropes serve` is: the web server and a worker. On SIGTERM or SIGINT each is asked to finish
what it is doing; one that has not after STOP_SECONDS is killed (jobs are made for that).
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

STOP_SECONDS = 30
WATCH_SECONDS = 0.2
# A program that dies younger than this has not started well; so many in a row end it all.
YOUNG_SECONDS = 10
YOUNG_DEATHS = 5
LONGEST_PAUSE_SECONDS = 10

PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass
class Child:
    """A program to keep running. `env` goes over this process's own environment."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    young_deaths: int = 0
    start_at: float = 0.0

    def start(self) -> None:
        """Start it; should this process be killed, the kernel asks it to stop."""
        self.started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command, env={**os.environ, **self.env}, preexec_fn=_die_with_parent
        )

    def watch(self) -> bool:
        """Start it again if it has died; return False once it keeps dying at birth."""
        moment = time.monotonic()
        if self.process is None:
            if moment >= self.start_at:
                self.start()
            return True
        code = self.process.poll()
        if code is None:
            return True
        self.process = None
        young = moment - self.started < YOUNG_SECONDS
        self.young_deaths = self.young_deaths + 1 if young else 0
        log.error("the %s ended by itself (exit code %s)", self.name, code)
        if self.young_deaths >= YOUNG_DEATHS:
            return False
        self.start_at = moment + min(LONGEST_PAUSE_SECONDS, 0.5 * self.young_deaths)
        return True


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


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
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("process %s did not stop in time and is killed", process.pid)
            process.kill()
            process.wait()
