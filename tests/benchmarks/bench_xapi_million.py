"""GET /xapi/statements with a million statements stored: each filter, and combinations that hurt."""

from __future__ import annotations

import base64
import os
import statistics
import time
from typing import Any
from urllib.parse import urlencode

import orjson
from sqlalchemy import text

from lms.db import db
from tests.benchmarks import million
from tests.benchmarks.harness import Place, Result, benchmark
from xapi.lrs import credentials

COUNT = int(os.environ.get("ROPES_BENCH_STATEMENTS", "1000000"))
TIMES = 15


def filled(place: Place) -> Any:
    """Return a function that GETs a path of the filled store."""
    app = place.make_app()
    made, secret = credentials.add("bench", ["all"])
    db.session.commit()
    million.fill(COUNT, dict(credentials.authority_of(made.uid)))
    if db.engine.dialect.name == "postgresql":  # as autovacuum does by itself after a while
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"{made.key}:{secret}".encode()).decode(),
        "X-Experience-API-Version": "1.0.3",
    }
    client = app.test_client()

    def get(path: str) -> dict[str, Any]:
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = orjson.loads(answer.data)
        return page

    return get, credentials.authority_of(made.uid)


def asked(authority: Any) -> dict[str, dict[str, Any]]:
    """Return what is asked for, by what it is called; pages of 100 unless it says otherwise."""
    busy, quiet = (orjson.dumps(million.person(who)).decode() for who in (0, 1_500))
    everybody = orjson.dumps(authority).decode()
    often, seldom = million.verb_iri("answered"), million.verb_iri("mentioned")
    course = f"{million.HOME}/activities/courses/3"
    every = million.EVERY["id"]
    related = {"related_activities": "true"}
    middle = million.stored_at(COUNT // 2).isoformat()
    return {
        "all": {},
        "agent": {"agent": quiet},
        "busy agent": {"agent": busy},
        "verb": {"verb": often},
        "rare verb": {"verb": million.RARE},
        "activity": {"activity": million.question_iri(3, 7)},
        "registration": {"registration": million.registration(5, 3)},
        "since": {"since": middle, "ascending": "true"},
        "until": {"until": middle},
        "related activity": {"activity": course, **related},
        "related activity that all name": {"activity": every, **related},
        "related agents": {"agent": busy, "related_agents": "true"},
        "related agent that all name": {"agent": everybody, "related_agents": "true"},
        "busy agent, rare verb": {"agent": busy, "verb": million.RARE},
        "busy agent, seldom verb": {"agent": busy, "verb": seldom},
        "all name it, rare verb": {"activity": every, "verb": million.RARE, **related},
        "all name it, busy agent, seldom verb": {
            "activity": every, "agent": busy, "verb": seldom, **related,
        },
        "verb, until": {"verb": seldom, "until": middle},
        "quiet agent, related course": {"agent": quiet, "activity": course, **related},
        "page of 500": {"limit": "500", "verb": often},
    }  # fmt: skip


@benchmark("xapi.million", unit="ms, the slowest median", target=30)
def find(place: Place) -> Result:
    """Each filter's median; the value is the slowest of them."""
    get, authority = filled(place)
    medians: dict[str, float] = {}
    for name, parameters in asked(authority).items():
        path = "/xapi/statements?" + urlencode({"limit": "100", **parameters})
        taken = []
        for _ in range(TIMES):
            start = time.perf_counter()
            page = get(path)
            taken.append((time.perf_counter() - start) * 1000)
        medians[f"{name} ({len(page['statements'])})"] = round(statistics.median(taken), 1)
    first, last = _pages(get)
    medians["page 1"], medians["page 1,000"] = first, last
    return Result(value=max(medians.values()), notes=medians)


def _pages(get: Any) -> tuple[float, float]:
    """Return the medians of the first, and of the last, hundred of a thousand pages."""
    taken = []
    path = "/xapi/statements?limit=100"
    for _ in range(1_000):
        start = time.perf_counter()
        page = get(path)
        taken.append((time.perf_counter() - start) * 1000)
        path = page["more"]
    return round(statistics.median(taken[:100]), 2), round(statistics.median(taken[-100:]), 2)
