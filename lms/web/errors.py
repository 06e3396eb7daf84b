"""Errors as people and machines see them: what happened, what was kept, what to do."""

from __future__ import annotations

from flask import Response, jsonify, make_response, render_template, request

from lms.errors import DomainError


def wants_json() -> bool:
    """Whether the caller is a script: it prefers JSON to a page."""
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"]) == "application/json"


def answer_error(error: DomainError) -> Response:
    """Turn a domain error into a page, or into `{"error": ...}` for those who prefer JSON."""
    if wants_json():
        response = jsonify(error=error.message)
    else:
        response = make_response(render_template("web/error.html", error=error))
    response.status_code = error.status
    return response
