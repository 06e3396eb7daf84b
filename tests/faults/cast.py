"""The processes of a fault run, forked from one that has everything loaded: a fork is a hundredth
of a start, so that two hundred can be killed within minutes.

The parent never opens a database through the app, and starts no thread: its children inherit
neither connections nor locks.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from lms.db import db, transaction
from lms.jobs.worker import run_worker
from lms.people.access import Who, allow
from lms.people.models import Person
from tests.faults import proxy
from xapi import api, build, vocabulary
from xapi.lrs.models import LrsCredential


def fork(act: Callable[[], Any], quiet: bool = True) -> int:
    """Run `act` in a child that never returns; return its process id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, 0)  # the parent's time limit is not ours
        if quiet:
            logging.disable(logging.CRITICAL)
        act()
        status = 0
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)


@dataclass
class Cast:
    """All processes of a run; `kill` what you like, `end` at the end."""

    running: dict[str, int] = field(default_factory=dict)

    def start(self, name: str, act: Callable[[], Any]) -> None:
        """Start a process under a name."""
        self.running[name] = fork(act)

    def kill(self, name: str) -> None:
        """Kill a process as a power cut would, and bury it."""
        child = self.running.pop(name)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    def died(self) -> list[str]:
        """Return who ended without being told to."""
        return [name for name, child in self.running.items() if os.waitpid(child, os.WNOHANG)[0]]

    def end(self) -> None:
        """Kill all that is left."""
        for name in list(self.running):
            try:
                self.kill(name)
            except (ProcessLookupError, ChildProcessError):
                self.running.pop(name, None)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open

    def log(self, *_args: Any) -> None:
        return


def listen() -> socket.socket:
    """Return a socket that listens on a free port of the loopback interface."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    return listener


def lrs(app: Flask, listener: socket.socket) -> None:
    """Be a record store in a process of its own, over a database of its own."""
    make_server(
        "127.0.0.1",
        listener.getsockname()[1],
        app,
        threaded=True,
        fd=listener.fileno(),
        request_handler=_Quiet,
    ).serve_forever()


def web(app: Flask, person_ids: list[int], said: int, number: int) -> None:
    """Be a web process with two threads: each request records one to three statements.

    What was acknowledged to the client is written to `said`, an id a line. No learner clicks in
    two places at once: each thread has learners of its own, and those of a process just killed
    rest for a turn, since PostgreSQL may still be committing for them.
    """

    def clicks(thread: int) -> None:
        client = app.test_client()
        mine = person_ids[(number % 2) * 2 + thread :: 4]
        turn = 0
        while True:
            person_id = mine[turn % len(mine)]
            answer = client.post(f"/fault/{person_id}/{1 + turn % 3}")
            assert answer.status_code == 200, answer.text
            os.write(said, answer.data)  # shorter than a pipe's atomic write
            turn += 1
            time.sleep(0.004)

    other = threading.Thread(target=clicks, args=(1,), daemon=True)
    other.start()
    clicks(0)


def add_view(app: Flask) -> None:
    """Give the app the page that the web process is asked for."""

    @app.post("/fault/<int:person_id>/<int:count>")
    @allow(Who.PUBLIC, reason="a test's own")
    def fault(person_id: int, count: int) -> str:
        person = db.session.get(Person, person_id)
        assert person is not None
        activity = build.activity("courses/welcome/v1", vocabulary.COURSE, "Welcome")
        made = [
            api.record(
                person.id,
                build.statement(
                    person.uid, vocabulary.ANSWERED, activity, response=f"{'x' * 400}", success=True
                ),
            )
            for _ in range(count)
        ]
        return "".join(f"{one}\n" for one in made)


def worker(app: Flask) -> None:
    """Be a worker, as `ropes work` is."""
    run_worker(app, threading.Event())


def misbehave(listener: socket.socket, upstream: int, control: int, seed: int) -> None:
    """Be the proxy."""
    proxy.run(listener, upstream, control, seed)


def give_credential(app: Flask, key: str, secret_hash: str) -> None:
    """Let the sender in at the record store (runs in a child)."""
    with app.app_context(), transaction() as session:
        session.add(LrsCredential(name="faults", key=key, secret_hash=secret_hash, scopes="all"))


def give_people(app: Flask, count: int) -> None:
    """Make people (runs in a child)."""
    with app.app_context(), transaction() as session:
        session.add_all(Person(id=number) for number in range(1, count + 1))
