"""A Flask application that does next to nothing: the floor under a request.

`python -m tests.benchmarks.bare PORT` runs it behind the web server of `ropes serve`, in as many
processes and threads.
"""

from __future__ import annotations

import sys

from flask import Flask, Response, jsonify, request

from lms.jobs.worker import stop_on_signal
from lms.serving.programs import web
from lms.serving.settled import settle
from lms.serving.supervise import supervise
from lms.serving.web import listen


def create() -> Flask:
    """Return an app that takes a statement and answers with its id."""
    app = Flask("bare")

    @app.post("/xapi/statements")
    def take() -> Response:
        return jsonify([request.get_json()["id"]])

    return app


if __name__ == "__main__":
    bare = create()
    settle()
    sys.exit(supervise(web(bare, listen("127.0.0.1", int(sys.argv[1]))), stop_on_signal()))
