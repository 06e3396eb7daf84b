"""Whether this machine can draw certificates: libraries and fonts, for `ropes doctor`."""

from __future__ import annotations

import ctypes
import shutil
import subprocess

PANGO = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")


def check_pango() -> str | None:
    """Look for the libraries that certificates are drawn with."""
    for name in PANGO:
        try:
            ctypes.CDLL(name)
        except OSError:
            return (
                f"{name} is missing: certificates cannot be drawn. Install libpango-1.0-0, "
                "libpangoft2-1.0-0 and libharfbuzz-subset0 (Debian's names)."
            )
    return None


def check_fonts() -> str | None:
    """Look for fonts with the letters of every language that is offered."""
    program = shutil.which("fc-list")
    if program is None:
        return "fontconfig is missing, so fonts cannot be found. Install fontconfig."
    for language in ("en", "ar"):
        found = subprocess.run(  # noqa: S603 - fontconfig's own program, nothing of a user's
            [program, f":lang={language}", "family"], capture_output=True, check=False
        )
        if not found.stdout.strip():
            return f"No font has the letters of “{language}”. Install fonts-noto-core."
    return None
