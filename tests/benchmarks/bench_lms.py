"""What the kernel itself costs."""

from __future__ import annotations

from flask import Flask, jsonify

from lms.people.access import Who, allow
from tests.benchmarks.harness import Place, Result, benchmark, cpu_ms


@benchmark("lms.request", unit="ms CPU", target=1.0)
def request(place: Place) -> Result:
    """A trivial JSON answer through the whole stack, beside bare Flask."""
    app = place.make_app()

    @allow(Who.PUBLIC, reason="a benchmark's own page")
    def ping() -> object:
        return jsonify(ping="pong")

    app.add_url_rule("/ping", "ping", ping)
    bare = Flask("bare")
    bare.add_url_rule("/ping", "ping", lambda: jsonify(ping="pong"))
    ours, theirs = app.test_client(), bare.test_client()
    assert ours.get("/ping").json == theirs.get("/ping").json == {"ping": "pong"}
    return Result(
        value=cpu_ms(lambda: ours.get("/ping"), times=300),
        floor=cpu_ms(lambda: theirs.get("/ping"), times=300),
        floor_is="bare Flask, the same answer",
    )
