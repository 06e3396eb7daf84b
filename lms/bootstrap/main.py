"""All of set-up, for one goal."""

from __future__ import annotations

import argparse
import fcntl

from lms.bootstrap.machine import LOG, NEEDED_BYTES, ROOT, Stop, check_port, check_python, say
from lms.bootstrap.steps import set_up


def main() -> int:
    """Run, one at a time in this folder; return the exit code."""
    parser = argparse.ArgumentParser(prog="bootstrap", description="Make this folder ready to run.")
    parser.add_argument("goal", choices=sorted(NEEDED_BYTES))
    parser.add_argument("--port", help="stop early where this port is in use")
    try:
        check_python()
        options = parser.parse_args()
        if options.port is not None:
            check_port(options.port)
        LOG.parent.mkdir(exist_ok=True)
        with (LOG.parent / "setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            set_up(options.goal)
    except Stop as stop:
        say(f"\n{stop}")
        return 1
    except PermissionError as error:
        say(f"\nYou may not write {error.filename}. Use a folder of your own (git clone).")
        return 1
    except OSError as error:
        if error.errno == 28:
            say(f"\nThe disk is full. Make room in {ROOT} and type the same again.")
            return 1
        raise
    except KeyboardInterrupt:
        say("\nStopped. Type the same again to go on where it was.")
        return 130
    return 0
