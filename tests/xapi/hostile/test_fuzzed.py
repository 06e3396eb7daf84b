"""A running server, fuzzed from the description of its interface by schemathesis."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.xapi.hostile.conftest import Served
from xapi.lrs.described import describe

pytestmark = pytest.mark.long

SEED = 20261123
SECONDS = 50  # each run
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
    # Not "ignored_auth": it sends so many wrong keys that they are answered 429 (`xapi.lrs.wrong`),
    # which it takes for a fault; ../conformance/test_communication_4_0_authentication.py sends one to each resource.
)


def without_forms(described: dict[str, Any]) -> dict[str, Any]:
    """Leave out the alternate syntax, which would take most of the time of every POST."""
    for item in described["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                named = operation.get("parameters", [])
                operation["parameters"] = [
                    one for one in named if not one.get("$ref", "").endswith("/method")
                ]
    for body in described["components"]["requestBodies"].values():
        body["content"].pop("application/x-www-form-urlencoded", None)
    post = described["paths"]["/statements"]["post"]
    post["requestBody"]["content"].pop("application/x-www-form-urlencoded")
    return described


def fuzz(
    served: Served, description: Path, version: str, *more: str, seconds: int = SECONDS
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(str(Path(sys.executable).parent / "schemathesis"), "run", str(description)),
            *("--url", served.url, "--auth", f"{served.key}:{served.secret}"),
            *("--header", f"X-Experience-API-Version: {version}"),
            *("--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing"),
            *("--seed", str(SEED), "--max-examples", "40", "--max-time", str(seconds)),
            *("--no-shrink", "--continue-on-failure", "--warnings", "off"),
            *more,
        ],
        cwd=description.parent,
        capture_output=True,
        text=True,
        timeout=4 * SECONDS,
    )


@pytest.mark.parametrize(
    ("version", "forms"), [("1.0.3", True), ("1.0.3", False), ("2.0.0", False)]
)
def test_it_answers_as_described(served: Served, tmp_path: Path, version: str, forms: bool) -> None:
    described = describe()
    description = tmp_path / "openapi.json"
    description.write_text(json.dumps(described if forms else without_forms(described)))
    done = fuzz(served, description, version)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "No issues found" in done.stdout
    assert "Traceback" not in served.log.read_text()


def test_the_fuzzing_finds_what_is_not_told(served: Served, tmp_path: Path) -> None:
    described = describe()
    for item in described["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation["responses"].pop("412", None)
    description = tmp_path / "openapi.json"
    description.write_text(json.dumps(described))
    done = fuzz(served, description, "1.0.3", "--include-path", "/agents/profile", seconds=20)
    assert done.returncode == 1
    assert "412" in done.stdout
