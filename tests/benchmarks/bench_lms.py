"""What the kernel itself costs, and a first page with all that the parts bring to it."""

from __future__ import annotations

from flask import jsonify

from lms.people.access import Who, allow
from tests.benchmarks.bench_certificates import make_learner
from tests.benchmarks.beside import PONG, beside_bare
from tests.benchmarks.harness import Place, Result, benchmark


@benchmark("lms.request", unit="ms CPU", target_ratio=2.5)
def request(place: Place) -> Result:
    """A trivial JSON answer through the whole stack."""
    app = place.make_app()

    @allow(Who.PUBLIC, reason="a benchmark's own page")
    def ping() -> object:
        return jsonify(ping="pong")

    app.add_url_rule("/ping", "ping", ping)
    ours = app.test_client()
    assert ours.get("/ping").json == {"ping": "pong"}
    return beside_bare(lambda: ours.get("/ping"), rounds=300, floor=PONG)


@benchmark("lms.home", unit="ms CPU", target_ratio=15.0)
def home(place: Place) -> Result:
    """The first page of somebody on a path, with certificates to earn."""
    client = make_learner(place)
    assert "/certificates/earn/" in client.get("/").text
    return beside_bare(lambda: client.get("/"), rounds=60)
