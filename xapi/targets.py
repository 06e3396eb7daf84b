"""The targets of this installation, by its settings."""

from __future__ import annotations

from importlib.metadata import entry_points

from flask import Flask, current_app

from lms.errors import Misconfigured
from xapi.delivery import embedded, remote
from xapi.delivery.target import ENTRY_POINTS, Target

# The jobs that deliver: to our own store at once, and over the network.
DELIVER = "xapi.deliver"
SEND = "xapi.send"


def start(app: Flask) -> None:
    """Find the targets that are on; raises Misconfigured where a setting makes no sense."""
    finders = [embedded.find_target, remote.find_target]
    finders += [entry.load() for entry in entry_points(group=ENTRY_POINTS)]
    found: dict[str, Target] = {}
    for finder in finders:
        target = finder(app.config)
        if target is None:
            continue
        if target.name in found:
            raise Misconfigured(f"Two record stores are named “{target.name}”.")
        found[target.name] = target
    app.extensions["xapi.targets"] = found


def targets() -> dict[str, Target]:
    """Return the targets that are on, by name."""
    found: dict[str, Target] = current_app.extensions["xapi.targets"]
    return found
