"""System packages: which are missing, and installing them where this user may."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

from lms.bootstrap.machine import Stop, run, say


def system_packages(goal: str) -> list[str]:
    """Return the Debian packages that `goal` wants and this machine lacks."""

    def lacks_library(name: str) -> bool:
        try:
            ctypes.CDLL(name)
        except OSError:
            return True
        return False

    missing = []
    if goal in ("product", "tests"):
        if lacks_library("libpango-1.0.so.0"):
            missing.append("libpango-1.0-0")
        if lacks_library("libpangoft2-1.0.so.0"):
            missing.append("libpangoft2-1.0-0")
        if lacks_library("libharfbuzz-subset.so.0"):
            missing.append("libharfbuzz-subset0")
        fonts = Path("/usr/share/fonts")
        if not any(fonts.rglob("NotoSans-Regular.*")):
            missing.append("fonts-noto-core")
    if goal == "tests":
        if not find_chromium():
            missing.append("chromium")
        if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) and not shutil.which(
            "initdb"
        ):
            missing.append("postgresql")
    return missing


def find_chromium() -> str | None:
    """Return the browser that tests drive, or None; ROPES_CHROMIUM names another one."""
    for name in (os.environ.get("ROPES_CHROMIUM", ""), "chromium", "google-chrome-stable"):
        found = shutil.which(name) if name else None
        if found:
            return found
    return None


def install_system(packages: list[str], what: str) -> None:
    """Install Debian packages where this user may; otherwise Stop with the one line to type."""
    line = "apt-get install -y --no-install-recommends " + " ".join(packages)
    root = os.geteuid() == 0
    sudo = [] if root else ["sudo", "-n"]
    may = root or (
        shutil.which("sudo") is not None
        and subprocess.call(["sudo", "-n", "true"], stderr=subprocess.DEVNULL) == 0
    )
    if shutil.which("apt-get") is None:
        raise Stop(f"{what} is missing: install what Debian calls {' '.join(packages)}.")
    if not may:
        raise Stop(f"{what} is missing. Type this line once, then the same again: sudo {line}")
    say(f"Installing system packages: {' '.join(packages)} ...")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = ["-q", "-o", "DPkg::Lock::Timeout=300"]
    run("The list of system packages", [*sudo, "apt-get", "update", *quiet], env)
    run("System packages", [*sudo, *line.split(), *quiet], env)


def provide_system(goal: str) -> None:
    """See to the system packages. Tests go on without Chromium or PostgreSQL, and say so loudly."""
    missing = system_packages(goal)
    if not missing:
        return
    try:
        install_system(missing, "A system package")
        missing = system_packages(goal)
        if not missing:
            return
        reason = f"{' '.join(missing)} could not be installed as a system package."
    except Stop as stop:
        reason = str(stop)
    only_tests = set(missing) <= {"chromium", "postgresql"}
    if "ANYWAY" in os.environ or (only_tests and "ROPES_REQUIRE_ALL" not in os.environ):
        say(f"NOTE: {reason}\nNOTE: what needs {' and '.join(missing)} will NOT be run.")
        return
    raise Stop(f"{reason} (ANYWAY=1 goes on without.)")
