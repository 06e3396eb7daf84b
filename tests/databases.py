"""Real databases for tests: a migrated SQLite file to copy, or a PostgreSQL cluster of our own.

`ROPES_TEST_DATABASE=postgresql` chooses PostgreSQL: a throw-away cluster on loopback, started once
a run, in which each test gets a copy of a migrated template database.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

KIND = os.environ.get("ROPES_TEST_DATABASE", "sqlite")


def find_postgresql() -> Path | None:
    """Return the folder of PostgreSQL's server programs, newest first, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL cluster of our own; address: without a database name."""

    address: str
    control: Callable[..., None]  # pg_ctl with these words

    def restart(self) -> None:
        """Stop it as a power cut would, as far as it can tell, and start it again."""
        self.control("-m", "immediate", "restart")


@contextmanager
def postgresql_cluster() -> Iterator[str]:
    """Run a cluster of its own; yield its address without a database name."""
    with own_cluster() as cluster:
        yield cluster.address


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    """Run a cluster of its own."""
    programs = find_postgresql()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed: `apt-get install postgresql`")
    folder = Path(tempfile.mkdtemp(prefix="ropes-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    port = free_port()
    data = folder / "data"
    subprocess.run(
        [*as_user, programs / "initdb", "-D", data, "-U", "ropes", "-A", "trust", "-E", "UTF8",
         "--locale=C.UTF-8"],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"

    def control(*words: str, check: bool = True) -> None:
        subprocess.run(
            [*as_user, programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options,
             *words],
            check=check, capture_output=True, cwd=folder,
        )  # fmt: skip

    control("start")
    try:
        yield Cluster(f"postgresql+psycopg://ropes@127.0.0.1:{port}", control)
    finally:
        control("-m", "immediate", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def run_sql(address: str, statement: str) -> None:
    """Run one statement outside a transaction (CREATE DATABASE wants that)."""
    plain = address.replace("+psycopg", "")
    with psycopg.connect(f"{plain}/postgres", autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]
