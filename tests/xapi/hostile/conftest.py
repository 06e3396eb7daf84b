"""The web server of an installation, as it runs there, with a credential."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from lms.app import create_app
from lms.db import db
from tests.conftest import SECRET, settings_for
from xapi.lrs import credentials

# `ropes serve` without its worker.
WEB_SERVER = """
import sys
from lms.jobs.worker import stop_on_signal
from lms.serving.programs import web
from lms.serving.settled import create_settled_app
from lms.serving.supervise import supervise
from lms.serving.web import listen

app = create_settled_app()
sys.exit(supervise(web(app, listen("127.0.0.1", int(sys.argv[1]))), stop_on_signal()))
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A server on loopback, a key of its record store, its log, and its first process."""

    port: int
    key: str
    secret: str
    log: Path
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/xapi"

    @property
    def authorization(self) -> str:
        return "Basic " + base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def served(
    migrated: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server with a fresh database; ended with the last test of the module."""
    folder = tmp_path_factory.mktemp("served")
    address = migrated(folder)
    app = create_app(settings_for(folder, address))
    with app.app_context():
        made, secret = credentials.add("stranger", ("all",))
        key = made.key
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    port = _free_port()
    told = {
        "LMS_SECRET_KEY": SECRET,
        "LMS_INSTANCE": str(folder),
        "LMS_DATABASE_URL": address,
        "LMS_JOBS": "manual",
        "LMS_BASE_URL": f"http://127.0.0.1:{port}",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    log = folder / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-c", WEB_SERVER, str(port)],
            env={**os.environ, **told},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            one = Served(port, key, secret, log, server.pid)
            _wait_for(one, server)
            yield one
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _wait_for(served: Served, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, served.log.read_text()
        try:
            if httpx.get(f"{served.url}/about", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(served.log.read_text())
