"""Clients that write over one another: the same agents, activities and, in part, statements.

Names and definitions differ from client to client, so that rows that exist are changed by all of
them, in whatever order their batches name them; statements target others that somebody else may
just be storing.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from flask import Flask
from sqlalchemy import text

from lms.db import db
from lms.serving.ports import free_port
from tests.benchmarks.serving import Server, basic, send, serve_ropes
from xapi.lrs import credentials

CLIENTS, BATCH = 8, 50
PEOPLE, ACTIVITIES, SHARED = 40, 30, 5_000
HOME = "https://ropes.example.test"
REFERRED = "http://example.test/verbs/commented"


@dataclass
class Overlap:
    """What came of it. acknowledged: the ids that answers named; sent: statements in all batches."""

    app: Flask
    acknowledged: set[str] = field(default_factory=set)
    sent: int = 0
    batches: int = 0
    errors: list[str] = field(default_factory=list)

    def check(self) -> list[str]:
        """Return what is wrong with the store now, in words."""
        wrong = []
        with self.app.app_context():
            rows = [
                row[0]
                for row in db.session.execute(text("SELECT statement_id FROM xapi_statement"))
            ]
            db.session.remove()
        doubled = [one for one, times in Counter(rows).items() if times > 1]
        lost = self.acknowledged - set(rows)
        strange = set(rows) - self.acknowledged
        for what, ids in (("doubled", doubled), ("lost", lost), ("not acknowledged", strange)):
            if ids:
                wrong.append(f"{len(ids)} {what}")
        return wrong


def overlap(app: Flask, log: Path, seconds: float) -> Overlap:
    """Let the clients write to a `ropes serve` over the app's database for so long."""
    with app.app_context():
        made, secret = credentials.add("clients", ["all"])
        key = made.key
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    found, lock = Overlap(app), threading.Lock()
    with serve_ropes(app, free_port(), log) as server:
        until = time.monotonic() + seconds
        clients = [
            threading.Thread(
                target=_write, args=(server, number, basic(key, secret), until, found, lock)
            )
            for number in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    return found


def _write(
    server: Server, number: int, headers: dict[str, str], until: float, found: Overlap,
    lock: threading.Lock,
) -> None:  # fmt: skip
    chance = random.Random(number)
    line = server.connect()
    turn = 0
    try:
        while time.monotonic() < until:
            turn += 1
            batch = make_batch(chance, f"{number}-{turn % 5}")
            status, answer = send(line, orjson.dumps(batch), headers)
            with lock:
                found.batches += 1
                found.sent += len(batch)
                if status != 200:
                    found.errors.append(f"{status}: {answer.decode(errors='replace')[:300]}")
                    continue
                ids = orjson.loads(answer)
                if ids != [one["id"] for one in batch]:
                    found.errors.append("the answer does not name the ids of the batch")
                found.acknowledged.update(ids)
    except Exception as error:  # a connection that was cut is an error like another
        with lock:
            found.errors.append(f"{type(error).__name__}: {error}")
    finally:
        line.close()


def make_batch(chance: random.Random, told: str) -> list[dict[str, Any]]:
    """Return statements in no order; `told` is what this batch calls people and activities."""
    shared = chance.sample(range(SHARED), BATCH // 10)
    batch = [_shared(one) for one in shared]
    batch += [_own(chance, told) for _ in range(BATCH - len(shared))]
    chance.shuffle(batch)
    return batch


def _shared(number: int) -> dict[str, Any]:
    """Return a statement that is the same whoever sends it."""
    return _statement(random.Random(number), str(uuid.UUID(int=(0xABC << 100) + number)), "all")


def _own(chance: random.Random, told: str) -> dict[str, Any]:
    made = _statement(chance, str(uuid.UUID(int=chance.getrandbits(128), version=4)), told)
    if chance.random() < 0.1:
        target = str(uuid.UUID(int=(0xABC << 100) + chance.randrange(SHARED)))
        made["verb"] = {"id": REFERRED}
        made["object"] = {"objectType": "StatementRef", "id": target}
    return made


def _statement(chance: random.Random, statement_id: str, told: str) -> dict[str, Any]:
    person: Callable[[], dict[str, Any]] = lambda: {  # noqa: E731
        "name": f"Called {told}",
        "account": {"homePage": HOME, "name": f"person{chance.randrange(PEOPLE)}"},
    }
    activity: Callable[[], dict[str, Any]] = lambda: {  # noqa: E731
        "id": f"{HOME}/activities/{chance.randrange(ACTIVITIES)}",
        "definition": {"name": {"en": f"Called {told}"}},
    }
    return {
        "id": statement_id,
        "actor": person(),
        "verb": {"id": f"http://example.test/verbs/{chance.randrange(5)}", "display": {"en": told}},
        "object": activity(),
        "context": {
            "instructor": person(),
            "contextActivities": {"parent": [activity()], "grouping": [activity(), activity()]},
        },
        "timestamp": "2026-11-23T09:00:00.000Z",
    }
