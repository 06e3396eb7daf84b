"""The machine: its Python, ports and disk, and running its programs with their words kept."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
LOG = ROOT / "build" / "setup.log"

OLDEST_PYTHON = (3, 11)
NEEDED_BYTES = {"product": 1_000_000_000, "check": 1_500_000_000, "tests": 2_500_000_000}

NO_SPACE = ("No space left on device", "Errno 28", "ENOSPC", "enough free space")
NO_NETWORK = (
    "Failed to establish a new connection",
    "Temporary failure",
    "Name or service not known",
    "Network is unreachable",
    "Connection refused",
    "Connection timed out",
    "Read timed out",
    "ConnectTimeoutError",
    "ProxyError",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ENETUNREACH",
    "ETIMEDOUT",
    "Could not resolve",
    "Could not connect",
    "(from versions: none)",
)


class Stop(Exception):
    """Set-up cannot go on; the message is the one sentence that says what to do."""


def check_python() -> None:
    """Go on with a newer Python of this machine where this one is too old; stop if none is."""
    if sys.version_info >= OLDEST_PYTHON:
        return
    for minor in (13, 12, 11, 14):
        found = shutil.which(f"python3.{minor}")
        new_enough = f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"
        if found and subprocess.call([found, "-c", new_enough], stderr=subprocess.DEVNULL) == 0:
            os.execv(found, [found, "-m", "lms.bootstrap", *sys.argv[1:]])
    raise Stop(
        f"Ropes needs Python 3.11 or newer; this is {sys.version_info[0]}.{sys.version_info[1]}. "
        "Install a newer one and name it, for example: make demo PYTHON=python3.12"
    )


def check_port(text: str) -> None:
    """Stop unless `text` is a port that nobody listens on."""
    if not (text.isdigit() and 0 < int(text) < 65536):
        raise Stop(f"PORT={text} is not a port. Choose a number from 1024 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except PermissionError:
            raise Stop(f"You may not open port {text}. Choose another: PORT=8000.") from None
        except OSError:
            raise Stop(f"Port {text} is in use. Choose another: PORT={free_port()}.") from None


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def check_disk(goal: str) -> None:
    """Stop where the disk is too full for what is about to be installed."""
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES[goal]:
        raise Stop(
            f"The disk is too full: set-up needs {NEEDED_BYTES[goal] / 1e9:.1f} GB in {ROOT}, "
            f"and {free / 1e9:.1f} GB are free."
        )


def say(text: str) -> None:
    """Tell the person what is being done."""
    print(text, file=sys.stderr, flush=True)


def run(what: str, command: list[str], env: dict[str, str] | None = None) -> None:
    """Run a program quietly, its words kept in the log; Stop with a sentence if it fails."""
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("ab") as log:
        start = log.tell()
        log.write(("\n$ " + " ".join(command) + "\n").encode())
        log.flush()
        try:
            code = subprocess.call(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {})},
            )  # fmt: skip
        except FileNotFoundError:
            raise Stop(f"{what}: the program {command[0]} is not there.") from None
    if code == 0:
        return
    said = LOG.read_bytes()[start:].decode(errors="replace")
    where = f"The whole story is in {LOG.relative_to(ROOT)}."
    if any(sign in said for sign in NO_SPACE):
        raise Stop(f"{what}: the disk is full. Make room and type the same again. {where}")
    if "DO NOT MATCH THE HASHES" in said or "EINTEGRITY" in said:
        raise Stop(f"{what}: a package is not the one that the lock file names. {where}")
    if any(sign in said for sign in NO_NETWORK):
        raise Stop(
            f"{what}: the packages cannot be reached. Check the network (or the proxy) and type "
            f"the same again. {where}"
        )
    raise Stop(f"{what} did not work: {last_words(said)} {where}")


def last_words(said: str) -> str:
    """Return the line of a program's output that most likely says what went wrong."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [one for one in lines if "error" in one.lower() and "complete log" not in one]
    return (telling or lines)[-1]
