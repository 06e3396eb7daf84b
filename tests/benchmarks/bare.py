"""A Flask application that does next to nothing: the floor under a request."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request

from tests.benchmarks.harness import Result

FLOOR_IS = "bare Flask, a few words of JSON"
TURNS = 5  # requests to bare Flask in each round: they are short


def create() -> Flask:
    """Return an app that takes a statement and answers with its id, or says pong."""
    app = Flask("bare")

    @app.post("/xapi/statements")
    def take() -> Response:
        return jsonify([request.get_json()["id"]])

    @app.get("/ping")
    def ping() -> Response:
        return jsonify(ping="pong")

    return app


def beside_bare(call: Callable[[], Any], rounds: int = 60, **notes: Any) -> Result:
    """Measure CPU time of a request beside bare Flask's, by turns: whatever slows one slows both.

    `call` makes the request; a few more are made before, to warm up.
    """
    bare = create().test_client()
    assert bare.get("/ping").json == {"ping": "pong"}
    for _ in range(5):
        call()
    gc.collect()
    ours, theirs = [], []
    for _ in range(rounds):
        started = time.process_time()
        call()
        between = time.process_time()
        for _turn in range(TURNS):
            bare.get("/ping")
        ours.append((between - started) * 1000)
        theirs.append((time.process_time() - between) * 1000 / TURNS)
    return Result(
        value=statistics.median(ours),
        floor=statistics.median(theirs),
        floor_is=FLOOR_IS,
        notes=notes,
        ratio=statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
    )
