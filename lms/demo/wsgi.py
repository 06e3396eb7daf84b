"""The demo's WSGI entry point: the app as in production, with one-click sign-in added."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from lms import config
from lms.app import create_app
from lms.demo.build import find_record, settings_for
from lms.demo.sign_in import Part, blueprint
from lms.errors import Misconfigured


def create_demo_app() -> Flask:
    """Build the app over the demo company of `LMS_INSTANCE`; raises Misconfigured without one."""
    environ = config.environment()
    instance = Path(environ.get("LMS_INSTANCE", "instance")).absolute()
    record = find_record(instance)
    if record is None:
        raise Misconfigured("There is no demo company yet. Build it with `ropes demo`.")
    app = create_app(
        settings_for(
            instance / "demo",
            environ.get("LMS_BASE_URL", "http://127.0.0.1:8000"),
            record["secret_key"],
            LMS_DEMO_TOKEN=record["token"],
            LMS_DEMO_CAST=[Part(**part) for part in record["cast"]],
        )
    )
    app.register_blueprint(blueprint)
    return app


def __getattr__(name: str) -> Flask:
    """Build `application` when a server asks for it, not when a test imports this module."""
    if name == "application":
        app = globals()["application"] = create_demo_app()
        return app
    raise AttributeError(name)
