"""The processes of an installation: those of the web server, and the worker."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask

from lms.db import db
from lms.jobs.worker import run_worker
from lms.serving.supervise import Child
from lms.serving.web import Limits, Server

# Requests are short and mostly wait for the database; two processes use two cores.
WEB_PROCESSES = 2
WEB_THREADS = 4


def web(
    application: Callable[..., Any], listener: socket.socket, limits: Limits | None = None
) -> Sequence[Child]:
    """Return the processes of the web server: each answers whom it gets hold of at `listener`."""

    def run(stop: threading.Event) -> None:
        Server(application, listener, WEB_THREADS, limits or Limits()).serve(stop)

    processes = min(WEB_PROCESSES, os.cpu_count() or 1)
    return [Child(f"web server {number}", run) for number in range(1, processes + 1)]


def worker(app: Flask, listener: socket.socket) -> Child:
    """Return the worker, which leaves the web server's socket alone."""

    def run(stop: threading.Event) -> None:
        listener.close()
        run_worker(app, stop)

    return Child("worker", run)


def everything(app: Flask, listener: socket.socket) -> Sequence[Child]:
    """Return all processes of an installation, to be forked from this one."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()  # no process may use another's connection
    return [*web(app, listener), worker(app, listener)]
