"""Set-up: what is done once, and the one sentence where it cannot go on."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lms.bootstrap import machine, steps, system
from lms.bootstrap.machine import ROOT, Stop, check_disk, check_port, check_python, run


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (machine, steps):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(machine, "LOG", tmp_path / "build" / "setup.log")
    monkeypatch.setattr(steps, "STATE", tmp_path / "state.json")


def test_a_python_that_is_too_old_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (3, 99))
    with pytest.raises(Stop, match=r"needs Python 3\.11 or newer; this is 3\.\d+"):
        check_python()


def test_a_newer_python_of_the_machine_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    taken: list[list[str]] = []
    monkeypatch.setattr(machine.sys, "version_info", (3, 9))
    monkeypatch.setattr(machine.sys, "argv", ["x", "product"])
    monkeypatch.setattr(machine.shutil, "which", lambda name: sys.executable)

    def replaced(_path: str, command: list[str]) -> None:
        taken.append(command)
        raise SystemExit

    monkeypatch.setattr(machine.os, "execv", replaced)
    with pytest.raises(SystemExit):
        check_python()
    assert taken == [[sys.executable, "-m", "lms.bootstrap", "product"]]


@pytest.mark.parametrize("port", ["0", "70000", "-1", "http", ""])
def test_a_port_that_is_none_is_said(port: str) -> None:
    with pytest.raises(Stop, match="is not a port"):
        check_port(port)


def test_a_port_in_use_is_said_with_another() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Stop, match=r"is in use\. Choose another: PORT=\d+"):
            check_port(str(taken.getsockname()[1]))


def test_a_full_disk_is_said_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=10_000_000))
    with pytest.raises(Stop, match=r"disk is too full: set-up needs 2\.5 GB .* 0\.0 GB are free"):
        check_disk("tests")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("npm error code EAI_AGAIN", "cannot be reached"),
        ("Failed to establish a new connection: [Errno 111]", "cannot be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that the lock file names"),
        ("npm error broken thing\nnpm error A complete log of this run", "npm error broken thing"),
        ("", "did not work"),
    ],
)
def test_a_program_that_fails_is_one_sentence(said: str, sentence: str) -> None:
    with pytest.raises(Stop, match=sentence) as caught:
        run("Packages", [sys.executable, "-c", f"print({said!r}); raise SystemExit(1)"])
    assert "build/setup.log" in str(caught.value)
    assert said.strip() in machine.LOG.read_text()


def test_a_program_that_is_not_there_is_said() -> None:
    with pytest.raises(Stop, match="no-such-program is not there"):
        run("Packages", ["no-such-program"])


def test_a_step_is_done_once_for_what_it_is_made_from() -> None:
    done: list[str] = []

    def do(made_from: str, there: bool = True) -> None:
        steps.step("paint", made_from, there, lambda: done.append(made_from))

    do("blue", there=False)
    do("blue")
    assert done == ["blue"]
    do("red")
    do("red", there=False)
    assert done == ["blue", "red", "red"]


def test_a_step_that_was_cut_short_is_done_again() -> None:
    def fail() -> None:
        raise Stop("no")

    with pytest.raises(Stop):
        steps.step("paint", "blue", True, fail)
    done: list[int] = []
    steps.step("paint", "blue", True, lambda: done.append(1))
    assert done == [1]


def test_a_state_that_cannot_be_read_is_no_state() -> None:
    steps.STATE.write_text("{half")
    assert steps.read_state() == {}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locks_pin_by_hash_and_hold_what_builds(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entry = steps.entry_of(text, "setuptools")
    assert entry.startswith("setuptools==")
    assert "--hash=sha256:" in entry
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")):
            assert "==" in line, line
            assert line.endswith("\\"), line
    assert "http://" not in text
    assert "https://" not in text


def test_the_developers_lock_holds_the_products_in_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        lines = (ROOT / name).read_text().splitlines()
        return {line.partition(" ")[0] for line in lines if "==" in line and line[0] not in " #"}

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def lacks(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Make this machine lack system packages, and this user the right to install any."""
    monkeypatch.setattr(
        system,
        "system_packages",
        lambda goal: [one for one in packages if goal == "tests" or one.startswith("lib")],
    )
    monkeypatch.setattr(system, "become_root", lambda: None)
    monkeypatch.delenv("ROPES_REQUIRE_ALL", raising=False)
    monkeypatch.delenv("ANYWAY", raising=False)


def test_without_the_right_the_one_line_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    lacks(monkeypatch, "libpango-1.0-0")
    with pytest.raises(Stop, match=r"apt-get install -y --no-install-recommends libpango-1\.0-0"):
        system.provide_system("product")


def test_tests_go_on_without_chromium_and_say_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lacks(monkeypatch, "chromium", "postgresql")
    system.provide_system("tests")
    said = capsys.readouterr().err
    assert "what needs chromium and postgresql is NOT run" in said
    assert said.count("apt-get install") == 2
    monkeypatch.setenv("ROPES_REQUIRE_ALL", "1")
    with pytest.raises(Stop, match="chromium"):
        system.provide_system("tests")


@pytest.mark.parametrize(
    ("library", "package", "goals"),
    [
        ("libpango-1.0.so.0", "libpango-1.0-0", {"product", "tests"}),
        ("libharfbuzz-subset.so.0", "libharfbuzz-subset0", {"product", "tests"}),
        ("libatomic.so.1", "libatomic1", {"tests"}),
    ],
)
def test_a_library_that_is_missing_is_asked_for_by_its_package(
    monkeypatch: pytest.MonkeyPatch, library: str, package: str, goals: set[str]
) -> None:
    def load(name: str) -> None:
        if name == library:
            raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(system.ctypes, "CDLL", load)
    for goal in ("product", "check", "tests"):
        assert (package in system.system_packages(goal)) is (goal in goals)


@pytest.mark.parametrize(
    ("plugins", "asked"),
    [("", True), ("xapi", False), (" xapi , courses", False), ("xapi,certificates", True)],
)
def test_what_only_certificates_need_is_not_asked_for_without_them(
    monkeypatch: pytest.MonkeyPatch, plugins: str, asked: bool
) -> None:
    def load(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(system.ctypes, "CDLL", load)
    monkeypatch.setenv("LMS_PLUGINS", plugins)
    assert ("libpango-1.0-0" in system.system_packages("product")) is asked
    assert "libpango-1.0-0" in system.system_packages("tests")


def test_who_may_gets_it_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ["libpango-1.0-0", "chromium"]
    ran: list[list[str]] = []

    def install(_what: str, command: list[str], _env: object = None) -> None:
        ran.append(command)
        missing[:] = [one for one in missing if one not in command]

    monkeypatch.setattr(system, "system_packages", lambda _goal: list(missing))
    monkeypatch.setattr(system, "become_root", lambda: ["sudo", "-n"])
    monkeypatch.setattr(system, "find_chromium", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(system, "run", install)
    monkeypatch.setattr(system.shutil, "which", lambda name: f"/usr/bin/{name}")
    system.provide_system("tests")
    assert missing == []
    assert all(command[:2] == ["sudo", "-n"] for command in ran)


def test_make_ends_with_the_sentence_and_not_with_a_traceback() -> None:
    done = subprocess.run(
        ["make", "-s", "demo", "PORT=none"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "PORT=none is not a port." in done.stderr
    assert "Traceback" not in done.stderr
