"""A real Synapse from PyPI, for one test: loopback only, SQLite, no federation."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import yaml

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / "build" / "synapse"  # git-ignored, kept between runs
SERVER_NAME = "halden.test"
SHARED_SECRET = "only-for-this-test"
START_SECONDS = 60
CLIENT = "/_matrix/client/v3"


def synapse_python() -> Path:
    """Return the interpreter of an environment that has Synapse, made when it is not there."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "matrix-synapse"], check=True, timeout=900
        )
    return python


@dataclass
class User:
    """Somebody signed in to the homeserver."""

    server: Synapse
    id: str
    token: str

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call the homeserver as this user."""
        return self.server.ask(method, path, body, self.token)

    def join(self, room: str) -> None:
        """Enter a room."""
        self.ask("POST", f"{CLIENT}/join/{quote(room, safe='')}", {})

    def send(self, room: str, content: dict[str, Any], kind: str = "m.room.message") -> str:
        """Send an event; return its id."""
        path = f"{CLIENT}/rooms/{quote(room, safe='')}/send/{kind}/{secrets.token_hex(8)}"
        return str(self.ask("PUT", path, content)["event_id"])

    def say(self, room: str, text: str, **content: Any) -> str:
        """Send a message; return its id."""
        return self.send(room, {"msgtype": "m.text", "body": text, **content})


@dataclass
class Synapse:
    """A homeserver that runs."""

    url: str
    folder: Path
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> dict[str, Any]:
        """Call it; an answer that is no success fails the test."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.http.request(method, self.url + path, json=body, headers=headers)
        assert answer.status_code < 300, (method, path, answer.status_code, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    def register(self, name: str, admin: bool = False) -> User:
        """Make an account by the shared secret."""
        path = "/_synapse/admin/v1/register"
        nonce = self.ask("GET", path)["nonce"]
        password = secrets.token_hex(8)
        parts = (nonce, name, password, "admin" if admin else "notadmin")
        mac = hmac.new(SHARED_SECRET.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        made = self.ask(
            "POST",
            path,
            {"nonce": nonce, "username": name, "password": password, "admin": admin, "mac": mac},
        )
        return User(self, made["user_id"], made["access_token"])


@contextmanager
def run_synapse(folder: Path, port: int, more: dict[str, Any]) -> Iterator[Synapse]:
    """Run a homeserver until the block ends; again in the same folder, it goes on.

    more: what the administrator adds to its settings. All else are the server's own defaults, but
    for the limits of how often: this test is in a hurry.
    """
    python = synapse_python()
    (folder / "log.yaml").write_text(
        yaml.safe_dump(
            {
                "version": 1,
                "handlers": {"file": {"class": "logging.FileHandler", "filename": "synapse.log"}},
                "root": {"level": "INFO", "handlers": ["file"]},
            }
        )
    )
    plenty = {"per_second": 10000, "burst_count": 10000}
    config: dict[str, Any] = {
        "server_name": SERVER_NAME,
        "listeners": [
            {
                "port": port,
                "type": "http",
                "bind_addresses": ["127.0.0.1"],
                "resources": [{"names": ["client"]}],
            }
        ],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "home.db")}},
        "log_config": str(folder / "log.yaml"),
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "signing.key"),
        "registration_shared_secret": SHARED_SECRET,
        "macaroon_secret_key": secrets.token_hex(16),
        "form_secret": secrets.token_hex(16),
        "report_stats": False,
        "trusted_key_servers": [],
        "federation_domain_whitelist": [],
        "bcrypt_rounds": 4,
        "ip_range_blacklist": [],
        "rc_message": plenty,
        "rc_registration": plenty,
        "rc_joins": {"local": plenty, "remote": plenty},
        "rc_login": {"address": plenty, "account": plenty, "failed_attempts": plenty},
        "rc_admin_redaction": plenty,
        **more,
    }
    (folder / "home.yaml").write_text(yaml.safe_dump(config))
    start = [python, "-m", "synapse.app.homeserver", "-c", "home.yaml"]
    if not (folder / "signing.key").exists():
        subprocess.run([*start, "--generate-keys"], cwd=folder, check=True, capture_output=True)
    with (folder / "out.txt").open("wb") as out:
        process = subprocess.Popen(start, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        server = Synapse(f"http://127.0.0.1:{port}", folder)
        try:
            _wait(server, process)
            yield server
        finally:
            server.http.close()
            process.terminate()
            process.wait(timeout=30)


def _wait(server: Synapse, process: subprocess.Popen[bytes]) -> None:
    patience = time.monotonic() + START_SECONDS
    while time.monotonic() < patience:
        if process.poll() is not None:
            break
        try:
            if server.http.get(server.url + "/health").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError("Synapse did not start: " + (server.folder / "out.txt").read_text()[-3000:])
