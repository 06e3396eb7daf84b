"""What is installed is whole: a wheel holds every file that the packages have in the source."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("lms", "xapi", "courses", "esn", "certificates")


@pytest.mark.long
def test_a_wheel_holds_every_file_and_runs(tmp_path: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    source = tmp_path / "source"
    for name in listed:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-index"),
            *("--no-build-isolation", "-w", str(tmp_path), str(source)),
        ],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        archive.extractall(tmp_path / "installed")
    wanted = {name for name in listed if name.partition("/")[0] in PACKAGES}
    assert sorted(wanted - held) == []
    run = subprocess.run(
        [sys.executable, "-m", "lms.cli", "db", "upgrade"],
        cwd=tmp_path,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("LMS_")},
            "PYTHONPATH": str(tmp_path / "installed"),
            "LMS_SECRET_KEY": "only-for-tests-" + "x" * 32,
            "LMS_INSTANCE": str(tmp_path / "instance"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "up to date" in run.stdout
