"""The shell's own pages: the first page, static files, and health for machines."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template

from lms.people.access import Who, allow
from lms.web import assets
from lms.web.health import report

blueprint = Blueprint("web", __name__, template_folder="templates")


@blueprint.get("/")
@allow(Who.SIGNED_IN)
def home() -> str:
    """Show the person's first page."""
    return render_template("web/home.html")


@blueprint.get("/static/<version>/<path:name>")
@allow(Who.PUBLIC, reason="style sheets and scripts of the pages; nothing in them is about people")
def static(version: str, name: str) -> Response:
    """Answer with a static file of any part."""
    return assets.serve(version, name)


@blueprint.get("/healthz")
@allow(Who.PUBLIC, reason="load balancers ask it; it says nothing about people")
def healthz() -> Response:
    """Answer 200 when web, database, worker and migrations are well, 503 and what is wrong else."""
    found = report()
    response = jsonify(found)
    response.status_code = 200 if found["status"] == "ok" else 503
    return response
