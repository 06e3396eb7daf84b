"""Real servers for benchmarks and long tests: `ropes serve`, and a bare app behind the same server."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: its port, and the process that leads its group."""

    port: int
    pid: int

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that stays open."""
        return http.client.HTTPConnection(HOST, self.port, timeout=60)

    def resident_mb(self) -> float:
        """Return the resident memory of all its processes, in megabytes; what they share is once."""
        return sum(_memory_kb(pid, "Pss") for pid in _family(self.pid)) / 1000


def basic(key: str, secret: str) -> dict[str, str]:
    """Return the headers of somebody with a credential who sends JSON."""
    return {
        "Authorization": "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode(),
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
    }


def send(
    connection: http.client.HTTPConnection, body: bytes, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    """Post statements; return status and answer."""
    connection.request("POST", "/xapi/statements", body, dict(headers))
    answer = connection.getresponse()
    return answer.status, answer.read()


@contextmanager
def serve_ropes(app: Flask, port: int, log: Path) -> Iterator[Server]:
    """Run `ropes serve` over the database of `app`, whose own session must be over."""
    environment = {
        "LMS_SECRET_KEY": str(app.config["LMS_SECRET_KEY"]),
        "LMS_INSTANCE": str(app.config["LMS_INSTANCE"]),
        "LMS_DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "LMS_BASE_URL": f"http://{HOST}:{port}",
        "LMS_HOME_PAGE": str(app.config["LMS_HOME_PAGE"]),
        "LMS_PLUGINS": "xapi",
    }
    command = [sys.executable, "-m", "lms.cli", "serve", "--port", str(port)]
    with _run(command, port, environment, log) as server:
        yield server


@contextmanager
def serve_bare(port: int, log: Path) -> Iterator[Server]:
    """Run the bare app behind the web server that `ropes serve` runs, in the same number of threads."""
    command = [sys.executable, "-m", "tests.benchmarks.bare", str(port)]
    with _run(command, port, {}, log) as server:
        yield server


@contextmanager
def _run(
    command: Sequence[str], port: int, environment: Mapping[str, str], log: Path
) -> Iterator[Server]:
    inherited = {name: value for name, value in os.environ.items() if name[:4] != "LMS_"}
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, env={**inherited, "PYTHONPATH": str(ROOT), **environment}, cwd=ROOT,
            stdout=written, stderr=written, start_new_session=True,
        )  # fmt: skip
        try:
            server = Server(port, process.pid)
            _wait(server, process, log)
            yield server
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    patience = time.monotonic() + START_SECONDS
    while time.monotonic() < patience and process.poll() is None:
        connection = server.connect()
        try:
            connection.request("GET", "/xapi/about")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return
    for child in children:
        yield from _family(int(child))


def private_mb(pid: int) -> float:
    """Return what a process holds for itself alone, in megabytes."""
    return sum(_memory_kb(pid, part) for part in ("Private_Clean", "Private_Dirty")) / 1000


def _memory_kb(pid: int, part: str) -> int:
    try:
        parts = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    lines = [line for line in parts.splitlines() if line.startswith(f"{part}:")]
    return int(lines[0].split()[1]) if lines else 0
