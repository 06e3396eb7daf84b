"""GET /xapi/statements with a million statements stored: each filter, and combinations that hurt."""

from __future__ import annotations

import base64
import os
import statistics
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Flask, current_app
from sqlalchemy import text

from lms.db import db
from tests.benchmarks import million
from tests.benchmarks.beside import FLOORS, PAGE, bare_page_ms
from tests.benchmarks.harness import Place, Result, benchmark
from xapi.lrs import credentials

COUNT = int(os.environ.get("ROPES_BENCH_STATEMENTS", "1000000"))
TIMES = 15


def filled(place: Place) -> Any:
    """Return a function that GETs a path of the filled store."""
    app = place.make_app()
    made, secret = credentials.add("bench", ["all"])
    db.session.commit()
    _fill_apart(dict(credentials.authority_of(made.uid)))
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


def _fill_apart(authority: dict[str, Any]) -> None:
    """Fill the store in another process: what that needs is then none of this one's memory."""
    db.session.remove()
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            million.fill(COUNT, authority)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0, "the store could not be filled"


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


@benchmark("xapi.million", unit="ms, the slowest median", target_ratio=60)
def find(place: Place) -> Result:
    """Each filter's median, of its first page and of one far on; the value is the slowest."""
    get, authority = filled(place)
    medians: dict[str, float] = {}
    notes: dict[str, Any] = {}
    for name, parameters in asked(authority).items():
        path = "/xapi/statements?" + urlencode({"limit": "100", **parameters})
        medians[name], page = _median(get, path)
        told = f"{medians[name]} ms ({len(page['statements'])})"
        if page["more"]:
            medians[f"{name}, far"], page = _median(get, _far(page["more"]))
            told += f", far {medians[f'{name}, far']} ms ({len(page['statements'])})"
        notes[name] = told
    first, last = _pages(get)
    notes["page 1"], notes["page 1,000"] = f"{first} ms", f"{last} ms"
    slowest = max(medians, key=lambda name: medians[name])
    return Result(
        value=medians[slowest],
        floor=bare_page_ms(),
        floor_is=FLOORS[PAGE],
        notes={"slowest": slowest, **notes},
    )


def _median(get: Any, path: str) -> tuple[float, dict[str, Any]]:
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        page = get(path)
        taken.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(taken), 1), page


def _far(more: str) -> str:
    """Return the address of a page nine tenths further on than the one that `more` leads to."""
    path, _slash, token = more.rpartition("/")
    told = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    place = int(told["after"])
    told["after"] = str((COUNT * 9 + place) // 10 if told.get("ascending") else place // 10)
    return f"{path}/{base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip('=')}"


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


@benchmark("xapi.memory.read", unit="MB more for ten times as much", target=20)
def memory_of_reading(place: Place) -> Result:
    """All of a tenth of the store, then all of it: paged through with `more`, and exported."""
    get, _authority = filled(place)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    tenth = COUNT // 10
    notes: dict[str, float] = {}
    grown = 0.0
    for name, read in (
        ("paging", lambda count: _read_pages(get, count)),
        ("export", lambda count: _export(app, place.folder, count)),
    ):
        read(tenth)  # caches fill
        small, large = (
            _peak_of(lambda upto=count, act=read: act(upto)) for count in (tenth, COUNT)
        )
        notes |= {f"{name}, a tenth": small, f"{name}, all": large}
        grown = max(grown, large - small)
    return Result(value=round(grown, 1), notes=notes)


def _read_pages(get: Any, count: int) -> None:
    path, seen = "/xapi/statements?limit=500&ascending=true", 0
    while path and seen < count:
        page = get(path)
        seen += len(page["statements"])
        path = page["more"]


def _export(app: Flask, folder: Path, count: int) -> None:
    """Write the first statements into a file, by the command that does so."""
    path = folder / "export.jsonl"
    until = million.stored_at(count).strftime("%Y-%m-%dT%H:%M:%S")
    done = app.test_cli_runner().invoke(
        args=["lrs", "export", "--output", str(path), "--until", until]
    )
    assert done.exit_code == 0, done.output
    with path.open("rb") as file:
        written = sum(1 for _line in file)
    assert count - million.TOGETHER < written <= count, (written, count)
    path.unlink()


def _peak_of(act: Any) -> float:
    """Return the most memory that this process holds while it acts, in megabytes."""
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
    act()
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(peak.split()[1]) / 1000, 1)
