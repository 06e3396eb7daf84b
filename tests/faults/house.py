"""A house for fault tests: a sender, a record store of another Ropes, and the proxy between them.

Each is a process of its own. The parent opens no database through the app and starts no thread, so
that its children inherit neither connections nor locks (see `tests.faults.cast`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask

from lms.app import create_app
from lms.db import db, transaction
from lms.people.models import Person
from tests.conftest import settings_for
from tests.faults import cast, proxy
from xapi import api, build, vocabulary
from xapi.delivery import run
from xapi.outbox import stores

KEY, SECRET = "faults", "only-between-two-processes-of-a-test"
PEOPLE = (1, 2, 3, 4)


def ask(address: str, query: str) -> list[Any]:
    """Ask a database past the app, so that the parent stays clean."""
    if address.startswith("sqlite"):
        connection = sqlite3.connect(address.removeprefix("sqlite:///"), timeout=30)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
    with psycopg.connect(address.replace("+psycopg", "")) as server:
        return server.execute(query).fetchall()  # type: ignore[call-overload]


def in_child(act: Callable[[], Any]) -> int:
    """Run `act` in a child, and return how it ended: 0, its exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(cast.fork(act), 0)[1])


class House:
    """What the tests talk to: record, make the network misbehave, and look at what arrived."""

    def __init__(
        self,
        folder: Path,
        migrated: Callable[[Path], str],
        certificates: Path | None = None,
        **settings: Any,
    ) -> None:
        self.folder, self.certificates = folder, certificates
        here, there = settings.pop("here", folder) / "here", settings.pop("there", folder) / "there"
        here.mkdir()
        there.mkdir()
        self.ours, self.theirs = settings.pop("database", None) or migrated(here), migrated(there)
        self.lrs_socket, self.proxy_socket = cast.listen(), cast.listen()
        self.port = self.proxy_socket.getsockname()[1]
        name = "https://localhost" if certificates else "http://127.0.0.1"
        self.lrs_app = create_app(settings_for(there, self.theirs, LMS_PLUGINS=("xapi",)))
        self.app = create_app(
            settings_for(
                here,
                self.ours,
                **{
                    "LMS_PLUGINS": ("xapi",),
                    "LMS_LRS_ENDPOINT": f"{name}:{self.port}/xapi/",
                    "LMS_LRS_KEY": KEY,
                    "LMS_LRS_SECRET": SECRET,
                    "LMS_LRS_TIMEOUT_SECONDS": 0.4,
                    "LMS_LRS_RETRY_SECONDS": 0.02,
                    "LMS_LRS_RETRY_MOST_SECONDS": 0.1,
                    **settings,
                },
            )
        )
        secret = hashlib.sha256(SECRET.encode()).hexdigest()
        assert in_child(lambda: cast.give_credential(self.lrs_app, KEY, secret)) == 0
        assert in_child(lambda: cast.give_people(self.app, len(PEOPLE))) == 0
        self.log = folder / "proxy.log"
        self.log.touch()
        self.mode_out, self.mode_in = os.pipe()
        self.players = cast.Cast()
        self.players.start("lrs", self._be_the_lrs)
        upstream = self.lrs_socket.getsockname()[1]
        self.players.start(
            "proxy",
            lambda: proxy.run(
                self.proxy_socket, upstream, self.mode_out, 1, self.log, certificates
            ),
        )
        self.proxy_socket.close()
        self.asks, asked = socket.socketpair()
        self.players.start("recorder", lambda: record_when_asked(self.app, asked))
        asked.close()

    def _be_the_lrs(self) -> None:
        self.proxy_socket.close()  # inherited: "gone" would not be
        cast.lrs(self.lrs_app, self.lrs_socket)

    def add_proxy(self, name: str, mode: str) -> Path:
        """Add a record store of this name behind a proxy that misbehaves; return its log."""
        listener, log = cast.listen(), self.folder / f"{name}.log"
        log.touch()
        out, into = os.pipe()
        upstream = self.lrs_socket.getsockname()[1]
        self.players.start(name, lambda: proxy.run(listener, upstream, out, 1, log))
        os.write(into, f"{mode}\n".encode())
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}/xapi/"
        listener.close()

        def add() -> None:
            with self.app.app_context(), transaction():
                stores.add(name, endpoint, KEY, SECRET, "1.0.3")

        assert in_child(add) == 0
        return log

    def holds(self, statement_id: str) -> bool:
        """Tell whether the record store over there has a statement."""
        asked = f"SELECT 1 FROM xapi_statement WHERE statement_id = '{statement_id}'"  # noqa: S608
        return bool(ask(self.theirs, asked))

    def send(self) -> None:
        """Start the process that delivers, if it does not run."""
        if "sender" not in self.players.running:
            self.players.start("sender", lambda: deliver_for_ever(self.app))

    def rest(self) -> None:
        """Stop that process, in whatever it does."""
        if "sender" in self.players.running:
            self.players.kill("sender")

    def mode(self, name: str) -> None:
        """Have the proxy behave so from now on."""
        os.write(self.mode_in, f"{name}\n".encode())
        time.sleep(0.05)

    def record(self, count: int, chars: int = 300) -> list[str]:
        """Record statements of several learners; return their ids in the order of recording."""
        self.asks.sendall(f"{count} {chars}\n".encode())
        with self.asks.makefile("r") as answer:
            made = answer.readline().split()
        assert len(made) == count
        return made

    def tried(self, mode: str) -> list[float]:
        """Return the moments at which the proxy did this to a request."""
        lines = [line.partition(" ") for line in self.log.read_text().splitlines()]
        return [float(moment) for moment, _, done in lines if done == mode]

    def failures(self) -> int:
        """Return how often in a row the target has failed, as the sender keeps it."""
        rows = ask(self.ours, "SELECT failures FROM xapi_target WHERE target = 'remote'")
        return rows[0][0] if rows else 0

    def words(self) -> str:
        """Return what the administrator is told."""
        rows = ask(self.ours, "SELECT words FROM xapi_target WHERE target = 'remote'")
        return rows[0][0] if rows else ""

    def wait(self, until: Callable[[], Any], seconds: float = 15.0) -> None:
        """Wait until something is so; fails after a while."""
        over = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < over, (
                self.words(),
                ask(self.ours, "SELECT count(*), target FROM xapi_pending GROUP BY target"),
            )
            assert self.players.died() == []
            time.sleep(0.02)

    def drained(self, seconds: float = 15.0) -> None:
        """Wait until nothing waits any more."""
        self.send()
        self.wait(lambda: ask(self.ours, "SELECT count(*) FROM xapi_pending") == [(0,)], seconds)

    def judge(self, recorded: Sequence[str]) -> tuple[int, int]:
        """Hold both record stores against what was recorded; return how many are lost, doubled.

        Each learner's order too: it is that of recording, in both.
        """
        assert ask(self.ours, "SELECT * FROM xapi_parked") == []
        whose = dict(ask(self.ours, "SELECT statement_id, person_id FROM xapi_outbox"))
        wanted = set(recorded)
        lost = doubled = 0
        for address in (self.theirs, self.ours):
            rows = ask(address, "SELECT statement_id FROM xapi_statement ORDER BY id")
            held = [one for (one,) in rows if one in wanted]
            lost += len(wanted - set(held))
            doubled += len(held) - len(set(held))
            for person in PEOPLE:
                order = [one for one in recorded if whose[one] == person]
                assert [one for one in held if whose[one] == person] == order
        return lost, doubled

    def end(self) -> None:
        """Kill everybody."""
        self.players.end()
        self.asks.close()
        for end in (self.mode_in, self.mode_out):
            os.close(end)
        self.lrs_socket.close()


@contextmanager
def house(
    folder: Path, migrated: Callable[[Path], str], certificates: Path | None = None, **more: Any
) -> Iterator[House]:
    """A house for as long as the block lasts."""
    made = House(folder, migrated, certificates, **more)
    try:
        yield made
    finally:
        made.end()


def record(app: Flask, count: int, chars: int = 300) -> list[str]:
    """Record statements, several learners by turns; runs in a child."""
    with app.app_context(), transaction() as session:
        people = [(one, session.get_one(Person, one).uid) for one in PEOPLE]
        activity = build.activity("courses/welcome/v1", vocabulary.COURSE, "Willkommen, مرحبا")
        rows = [
            (
                person_id,
                build.template(uid, vocabulary.ANSWERED, activity, response="x" * chars),
            )
            for number in range(count)
            for person_id, uid in [people[number % len(people)]]
        ]
        return api.record_many(rows)


def record_when_asked(app: Flask, asked: socket.socket) -> None:
    """Record as many statements, as long, as a line says, and answer with their ids."""
    for line in asked.makefile("r"):
        made = record(app, *map(int, line.split()))
        with app.app_context():
            db.engine.dispose()  # it may have been restarted when the next line comes
        asked.sendall((" ".join(made) + "\n").encode())


def deliver_for_ever(app: Flask) -> None:
    """Deliver, without the seconds that a worker's sweep waits between two looks."""
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    with app.app_context():
        while True:
            with contextlib.suppress(Exception):  # as a worker: tried again
                run.deliver()
            with contextlib.suppress(Exception):
                run.send()
            time.sleep(0.01)


def note(request: pytest.FixtureRequest, fault: str, tried: int, lost: int, doubled: int) -> None:
    """Keep a line for the table that the run prints at its end, and hold it to be clean."""
    line = f"{fault}|{tried}|{lost}|{doubled}"
    request.node.user_properties.append(("fault", line))
    assert (lost, doubled) == (0, 0)
    assert tried > 0
