"""The two programs of an installation: the web server (granian) and the worker."""

from __future__ import annotations

import os
import sys

from lms.serving.supervise import Child

# Requests are short and mostly wait for the database; two processes use two cores.
WEB_PROCESSES = 2
WEB_THREADS = 4
KILL_SECONDS = 20


def web(host: str, port: int, factory: str = "lms.serving.settled:create_settled_app") -> Child:
    """Return the web server; `factory` is `module:function` that makes the application."""
    processes = min(WEB_PROCESSES, os.cpu_count() or 1)
    return Child(
        "web server",
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--no-ws"),
            *("--host", host, "--port", str(port), "--log-level", "warning"),
            *("--workers", str(processes), "--blocking-threads", str(WEB_THREADS)),
            *("--respawn-failed-workers", "--workers-kill-timeout", str(KILL_SECONDS)),
            factory,
        ],
    )


def worker() -> Child:
    """Return the worker."""
    return Child("worker", [sys.executable, "-m", "lms.cli", "work"])
