"""A Flask application that does next to nothing: the floor under a request.

`python -m tests.benchmarks.bare PORT` runs it behind the web server of `ropes serve`, in as many
processes and threads.
"""

from __future__ import annotations

import sys

from flask import Flask, Response, jsonify, render_template, request, session
from jinja2 import DictLoader

from lms.jobs.worker import stop_on_signal
from lms.serving.programs import web
from lms.serving.settled import settle
from lms.serving.supervise import supervise
from lms.serving.web import listen

ROWS = """<!doctype html><html lang="en"><title>{{ name }}</title><h1>{{ name }}</h1>
<ul>{% for row in rows %}<li><a href="{{ url_for('page') }}">{{ row }}</a></li>{% endfor %}</ul>"""


def create() -> Flask:
    """Return an app that takes a statement and answers with its id, shows a page, or says pong."""
    app = Flask("bare")
    app.secret_key = "bare"
    app.jinja_loader = DictLoader({"rows.html": ROWS})

    @app.post("/xapi/statements")
    def take() -> Response:
        return jsonify([request.get_json()["id"]])

    @app.get("/ping")
    def ping() -> Response:
        return jsonify(ping="pong")

    @app.get("/page")
    def page() -> str:
        return render_template("rows.html", name=session["name"], rows=range(30))

    return app


if __name__ == "__main__":
    bare = create()
    settle()
    sys.exit(supervise(web(bare, listen("127.0.0.1", int(sys.argv[1]))), stop_on_signal()))
