"""Where set-up or the product cannot go on: one clear sentence and a non-zero exit, seen from outside.

The real `make` and the real `ropes`, on a copy of what git keeps, with the machine really so: no
network, a port that is taken, a disk that is full, a Python that is too old.
"""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lms.serving.ports import free_port

ROOT = Path(__file__).parent.parent.parent
NOWHERE = "http://127.0.0.1:9"  # the port "discard": nobody listens there
# A mount that only the program below it sees.
OWN_MOUNTS = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A fresh copy of the source, as a clone has it: nothing is set up."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, files.split("\0")):
        if (ROOT / name).exists() and name.startswith(
            ("lms/", "setup.cfg", "pyproject", "Makefile", "require", "package")
        ):
            target = tmp_path / "ropes" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    return tmp_path / "ropes"


def stopped(
    command: list[str | Path], where: Path, *expected: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run; assert that it ends with a non-zero code, one line that says so, and no traceback."""
    ours = ("LMS_", "MAKE", "MFLAGS", "PORT", "HOST", "UPGRADE", "PYTHONPATH", "ANYWAY")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    done = subprocess.run(
        command,
        cwd=where,
        env={**kept, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode != 0, done.stdout
    told = [line for line in done.stderr.splitlines() if line and not line.startswith("make: ***")]
    assert "Traceback" not in done.stderr
    for words in expected:
        assert words in told[-1], done.stderr
    return done


@pytest.mark.long
@pytest.mark.parametrize("target", ["demo", "test"])
def test_without_a_network(copy: Path, target: str) -> None:
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    stopped(
        ["make", "-s", target, f"PORT={free_port()}"],
        copy,
        "Python packages: the packages cannot be reached. Check the network (or the proxy)",
        "build/setup.log",
        **proxies,
        no_proxy="",
        NO_PROXY="",
        PIP_RETRIES="0",
    )


@pytest.mark.parametrize("target", ["demo", "serve"])
def test_on_a_port_that_is_taken(copy: Path, target: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        stopped(["make", "-s", target], copy, f"Port {port} is in use.", "PORT=", PORT=str(port))
    assert not (copy / ".venv").exists()  # it was said before anything was done


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 8, 18), (3, 6, 15), (2, 7, 18)])
def test_with_a_python_that_is_too_old(
    copy: Path, tmp_path: Path, version: tuple[int, int, int]
) -> None:
    """The Python that runs is this one; it only says that it is older."""
    old = tmp_path / "python"
    said = f"({', '.join(map(str, version))}, 'final', 0)"
    program = (
        f"import runpy, sys; sys.version_info = {said}; sys.argv = sys.argv[2:]; "
        "runpy.run_module('lms.bootstrap', run_name='__main__', alter_sys=True)"
    )
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{program}" "$@"\n')
    old.chmod(0o755)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("make", "sh", "env"):  # and no newer Python beside them
        (tools / name).symlink_to(shutil.which(name) or "/bin/false")
    words = f"Ropes needs Python 3.11 or newer; this is {version[0]}.{version[1]}."
    stopped([tools / "make", "-s", "demo", f"PYTHON={old}"], copy, words, PATH=str(tools))
    assert not (copy / ".venv").exists()


def test_a_python_that_is_too_old_can_read_the_sentence() -> None:
    """Python 3.7 reads all of set-up; any Python at all reads the file that it starts with."""
    files = sorted((ROOT / "lms" / "bootstrap").glob("*.py"))
    for file in files:
        ast.parse(file.read_text(), feature_version=(3, 7))
    first = next(file for file in files if file.name == "__main__.py").read_text()
    nodes = list(ast.walk(ast.parse(first)))
    newer = (ast.FunctionDef, ast.AnnAssign, ast.JoinedStr, ast.NamedExpr, ast.AsyncFunctionDef)
    assert not [node for node in nodes if isinstance(node, newer)]
    assert "__future__" not in first
    assert first.isascii()


def on_a_small_disk(where: Path, size: str, command: str) -> list[str | Path]:
    """Return a command that is run with a disk of `size` at `where`; skips where none may be made."""
    where.mkdir(exist_ok=True)
    mount = f"mount -t tmpfs -o size={size} tmpfs {where}"
    tried = subprocess.run([*OWN_MOUNTS, "sh", "-c", mount], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("this user may not mount anything")
    return [*OWN_MOUNTS, "sh", "-c", f"{mount} && {command}"]


@pytest.mark.parametrize("filled", [False, True], ids=["nearly full", "full to the last byte"])
def test_set_up_on_a_full_disk(copy: Path, tmp_path: Path, filled: bool) -> None:
    disk = tmp_path / "disk"
    fill = f"(cat /dev/zero > {disk}/fill) 2>/dev/null;" if filled else ""
    run = f"cp -r {copy}/. {disk} && cd {disk} && ( {fill} make -s demo PORT={free_port()} )"
    stopped(
        on_a_small_disk(disk, "40m", run),
        tmp_path,
        "The disk is too full: set-up needs 1.0 GB",
        "GB are free",
    )


@pytest.mark.parametrize("command", ["db upgrade", "serve", "work"])
def test_the_product_on_a_full_disk(tmp_path: Path, command: str) -> None:
    disk = tmp_path / "disk"
    run = f"exec {sys.executable} -m lms.cli {command}"
    stopped(
        on_a_small_disk(disk, "100k", run),
        ROOT,
        "The disk is full: nothing can be written in",
        LMS_INSTANCE=str(disk),
        LMS_SECRET_KEY="only-for-tests-" + "x" * 32,
        PORT=str(free_port()),
    )


@pytest.mark.parametrize("size", ["2m", "6m"])
def test_the_demo_on_a_disk_that_fills_while_it_is_built(tmp_path: Path, size: str) -> None:
    """It had room enough when it was asked, and less than was thought."""
    disk = tmp_path / "disk"
    program = (
        "import lms.demo.command as demo; demo.NEEDED_BYTES = 0; "
        "from lms.cli import main; main(['demo', '--build-only'])"
    )
    run = f'{sys.executable} -c "{program}"; code=$?; ls {disk} >&2; exit $code'
    done = stopped(on_a_small_disk(disk, size, run), ROOT, LMS_INSTANCE=str(disk))
    assert "The disk is full: the demo could not be built" in done.stderr
    assert "demo.building" not in done.stderr  # nothing is left of it


def test_the_doctor_of_a_full_disk_says_it_in_words(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    done = stopped(
        on_a_small_disk(disk, "100k", f"exec {sys.executable} -m lms.cli doctor"),
        ROOT,
        LMS_INSTANCE=str(disk),
        LMS_SECRET_KEY="only-for-tests-" + "x" * 32,
    )
    assert "0 MB are free" in done.stdout
    assert "!!  database: " in done.stdout


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"LMS_DATABASE_URL": "postgresql://ropes:hidden-word@127.0.0.1:9/ropes"},
            "The database does not answer. Check LMS_DATABASE_URL",
        ),
        ({"LMS_INSTANCE": "/proc/ropes"}, "LMS_INSTANCE"),
    ],
    ids=["no database", "no right to write"],
)
def test_the_product_without_its_database(
    tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    needed = {"LMS_INSTANCE": str(tmp_path), "LMS_SECRET_KEY": "only-for-tests-" + "x" * 32}
    command: list[str | Path] = [sys.executable, "-m", "lms.cli", "db", "upgrade"]
    done = stopped(command, ROOT, said, **{**needed, **settings})
    assert "hidden-word" not in done.stderr + done.stdout
