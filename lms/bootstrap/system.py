"""System packages: which are missing, and installing them where this user may."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

from lms.bootstrap.machine import VENV, Stop, run, say


def system_packages(goal: str) -> list[str]:
    """Return the Debian packages that `goal` wants and this machine lacks."""

    def lacks_library(name: str) -> bool:
        try:
            ctypes.CDLL(name)
        except OSError:
            return True
        return False

    missing = []
    if goal == "tests" or (goal == "product" and is_drawn()):
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
        if lacks_library("libatomic.so.1"):  # the node inside Playwright wants it
            missing.append("libatomic1")
        if not find_chromium():
            missing.append("chromium")
        if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) and not shutil.which(
            "initdb"
        ):
            missing.append("postgresql")
    return missing


def is_drawn() -> bool:
    """Whether anything is drawn: a record store alone (LMS_PLUGINS) needs no fonts."""
    names = [name.strip() for name in os.environ.get("LMS_PLUGINS", "").split(",") if name.strip()]
    return not names or "certificates" in names


def find_chromium() -> str | None:
    """Return the browser that tests drive, or None; ROPES_CHROMIUM names another one."""
    names = (os.environ.get("ROPES_CHROMIUM"), "chromium", "google-chrome-stable", "google-chrome")
    for name in names:
        found = shutil.which(name) if name else None
        if found:
            return found
    own = (Path.home() / ".cache" / "ms-playwright").glob("chromium-*/chrome-linux*/chrome")
    return next((str(path) for path in sorted(own, reverse=True)), None)


def become_root() -> list[str] | None:
    """Return what to put before a command to run it as root; None where this user may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    asked = subprocess.call(["sudo", "-n", "true"], stderr=subprocess.DEVNULL)
    return ["sudo", "-n"] if asked == 0 else None


def install_system(packages: list[str]) -> None:
    """Install Debian packages where this user may; otherwise Stop with the one line to type."""
    what = " and ".join(packages)
    line = "apt-get install -y --no-install-recommends " + " ".join(packages)
    as_root = become_root()
    if shutil.which("apt-get") is None:
        raise Stop(f"This machine lacks {what} (Debian's names): install that first.")
    if as_root is None:
        type_this = f"sudo {line}" if shutil.which("sudo") else f'su -c "{line}"'
        raise Stop(f"This machine lacks {what}. Type this line, then the same again: {type_this}")
    say(f"Installing system packages: {' '.join(packages)} ...")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = ["-q", "-o", "DPkg::Lock::Timeout=300"]
    run("The list of system packages", [*as_root, "apt-get", "update", *quiet], env)
    run("System packages", [*as_root, *line.split(), *quiet], env)


def install_chromium() -> None:
    """Install the tests' browser: Debian's, or where there is none (Ubuntu) Playwright's."""
    try:
        install_system(["chromium"])
    except Stop:
        if become_root() is None:
            raise
    if find_chromium() is None:
        say("Installing Playwright's Chromium ...")
        playwright = VENV / "bin" / "playwright"
        run("Chromium", [str(playwright), "install", "--with-deps", "chromium"])


def provide_system(goal: str) -> None:
    """See to the system packages. Tests go on without Chromium or PostgreSQL, and say so loudly."""
    missing = system_packages(goal)
    reasons = []
    for packages in ([one for one in missing if one != "chromium"], ["chromium"]):
        if not set(packages) & set(missing):
            continue
        try:
            install_chromium() if packages == ["chromium"] else install_system(packages)
        except Stop as stop:
            reasons.append(str(stop))
    missing = system_packages(goal) if missing else []
    if not missing:
        return
    what = " and ".join(missing)
    reason = "\n".join(reasons) or f"{what} could not be installed."
    only_for_tests = set(missing) <= {"chromium", "libatomic1", "postgresql"}
    if "ANYWAY" in os.environ or (only_for_tests and "ROPES_REQUIRE_ALL" not in os.environ):
        say(f"\n{reason}\nUntil then, what needs {what} is NOT run.\n")
        return
    raise Stop(f"{reason}\n(ANYWAY=1 goes on without.)")
