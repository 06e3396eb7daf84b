"""The demo's own application: the app as in production, with one-click sign-in added."""

from __future__ import annotations

from flask import Flask

from lms.app import create_app
from lms.demo.build import HOME, find_record
from lms.demo.sign_in import Part, blueprint
from lms.errors import Misconfigured
from lms.serving.settled import settle


def create_demo_app() -> Flask:
    """Build the app over the demo company of the instance folder; `ropes demo` sets the rest.

    Raises Misconfigured where no demo company stands there.
    """
    app = create_app()
    folder = app.config["LMS_INSTANCE"]
    record = find_record(folder.parent) if folder.name == HOME else None
    if record is None:
        raise Misconfigured("There is no demo company here yet. Build it with `ropes demo`.")
    app.config["LMS_DEMO_TOKEN"] = record["token"]
    app.config["LMS_DEMO_CAST"] = [Part(**part) for part in record["cast"]]
    app.register_blueprint(blueprint)
    settle()
    return app
