"""A Flask application that does next to nothing: the floor under a request."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request


def create() -> Flask:
    """Return an app that takes a statement and answers with its id."""
    app = Flask("bare")

    @app.post("/xapi/statements")
    def take() -> Response:
        return jsonify([request.get_json()["id"]])

    return app
