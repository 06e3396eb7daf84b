"""The application factory: settings, plugins, database, rooms of the kernel, pages, errors."""

from __future__ import annotations

import functools
import importlib
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, request
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, ValidationError

from lms import config, events, evidence, plugin, private
from lms.db import BIGGEST_ID, begin_request, db, end_request
from lms.errors import DomainError, Misconfigured, Unavailable
from lms.jobs import queue as jobs
from lms.notices.part import part as notices
from lms.people.part import part as people
from lms.plugin import Plugin
from lms.teams.part import part as teams
from lms.web.errors import answer_error
from lms.web.part import part as web
from lms.writers import prepare_engine

log = logging.getLogger(__name__)

# The kernel's own rooms say what they add in the same words as plugins do.
ROOMS: tuple[Plugin, ...] = (web, people, teams, notices)
KERNEL_MODELS = ("lms.audit", "lms.jobs.worker", "lms.objectives")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class RowNumber(IntegerConverter):
    """A number in an address; one that no column can hold is an address that does not exist."""

    def to_python(self, value: str) -> Any:
        number = super().to_python(value)
        if number > BIGGEST_ID:
            raise ValidationError
        return number


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """Build the app. `settings` go before the environment; raises Misconfigured with a sentence."""
    overrides = dict(settings or {})
    environ = config.environment()
    app = Flask("lms", static_folder=None, template_folder=None)
    app.config.update(config.read_settings(config.KERNEL_SETTINGS, environ, overrides))
    chosen = plugin.choose(plugin.installed(app.config["LMS_PLUGINS"]), app.config["LMS_PLUGINS"])
    parts = (*ROOMS, *chosen)
    declared = [setting for part in parts for setting in part.settings]
    app.config.update(config.read_settings(declared, environ, overrides))
    app.config.update({key: value for key, value in overrides.items() if key not in app.config})
    app.extensions["lms.plugins"] = chosen
    app.extensions["lms.parts"] = list(parts)
    _configure(app)
    load_models(parts)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    events.init_app(app, [listener for part in parts for listener in part.listeners])
    evidence.init_app(
        app,
        [measure for part in parts for measure in part.measures],
        [part.conditions for part in parts if part.conditions is not None],
    )
    jobs.init_app(app, [job for part in parts for job in part.jobs])
    app.before_request(_begin)
    for part in parts:
        _register(app, part)
    app.after_request(_finish)
    app.teardown_request(_end)
    for error in (DomainError, OperationalError):
        app.register_error_handler(error, _answer_raised)
    return app


def load_models(parts: Iterable[Plugin]) -> None:
    """Import the modules that define the tables of the kernel and of `parts`."""
    for module in KERNEL_MODELS:
        importlib.import_module(module)
    for part in parts:
        for module in part.models:
            importlib.import_module(module)


def _configure(app: Flask) -> None:
    config.check_secret(app.config["LMS_SECRET_KEY"])
    instance = Path(app.config["LMS_INSTANCE"]).absolute()
    app.config["LMS_INSTANCE"] = instance
    url = app.config["LMS_DATABASE_URL"] or f"sqlite:///{instance / 'ropes.sqlite3'}"
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Misconfigured(
            "LMS_DATABASE_URL is not a database address. "
            "Write postgresql+psycopg://user:password@host/name, or leave it out for SQLite."
        ) from error
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    elif parsed.get_backend_name() != "sqlite":
        raise Misconfigured("LMS_DATABASE_URL must lead to SQLite or PostgreSQL.")
    private.begin()
    instance.mkdir(parents=True, exist_ok=True)
    is_file = parsed.get_backend_name() == "sqlite"
    private.mend(instance, kept_folders(app), parsed.database if is_file else None)
    secure = app.config["LMS_SECURE_COOKIES"]
    https = app.config["LMS_BASE_URL"].startswith("https:")
    secure = https if secure is None else secure
    app.config.update(
        SECRET_KEY=app.config["LMS_SECRET_KEY"],
        SQLALCHEMY_DATABASE_URI=parsed.render_as_string(hide_password=False),
        # Values of a statement that failed must not reach the logs.
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True},
        # Browsers take `__Host-` from this very host alone, over HTTPS: no neighbour can plant one.
        SESSION_COOKIE_NAME="__Host-ropes" if https and secure else "ropes",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        MAX_CONTENT_LENGTH=32 * 1024 * 1024,
    )
    app.url_map.converters["int"] = RowNumber
    # Whether a function is a coroutine is asked of each view and hook once, not at every request.
    app.ensure_sync = functools.cache(app.ensure_sync)  # type: ignore[method-assign]
    if not app.config["LMS_HOME_PAGE"]:
        app.config["LMS_HOME_PAGE"] = app.config["LMS_BASE_URL"]
    proxies = app.config["LMS_TRUSTED_PROXIES"]
    if proxies:  # without one in front, anybody could write these headers
        fixed = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)
        app.wsgi_app = fixed  # type: ignore[method-assign]


def kept_folders(app: Flask) -> list[str]:
    """Return the folders that plugins keep in the instance folder."""
    parts: list[Plugin] = app.extensions["lms.parts"]
    return [folder for part in parts for folder in part.folders]


def _register(app: Flask, part: Plugin) -> None:
    for blueprint in part.blueprints:
        app.register_blueprint(blueprint)
    for command in part.commands:
        app.cli.add_command(command)
    if part.on_start is not None:
        part.on_start(app)


def _begin() -> None:
    view = _view_function()
    begin_request(request.method not in SAFE_METHODS or getattr(view, "__lms_writes__", False))


def _end(_error: BaseException | None) -> None:
    # A test's client runs in its caller's context: what a GET forbade must not outlive it.
    end_request()


def _view_function() -> Any:
    return current_app.view_functions.get(request.endpoint or "")


def _finish(response: Response) -> Response:
    """Commit what the request did when its answer is a success, and nothing of it otherwise."""
    if response.status_code >= 400 and not g.get("lms_keep"):
        db.session.rollback()
        return response
    try:
        db.session.commit()
    # The disk is full, the server went away; or whoever asked may not write any more.
    except (OperationalError, DomainError) as error:
        answer: Response = _answer_raised(error)
        return answer
    return response


def _answer_raised(error: Exception) -> Any:
    db.session.rollback()
    if isinstance(error, OperationalError):
        log.error("the database did not answer: %s", type(error.orig).__name__)
        error = Unavailable("The database does not answer just now. Nothing was lost; try again.")
    assert isinstance(error, DomainError)  # noqa: S101 - told to the type checker
    return answer_error(error)
