"""The targets of this installation: those of its settings, and those that administrators added."""

from __future__ import annotations

from importlib.metadata import entry_points

from flask import Flask, current_app

from lms.errors import Misconfigured
from xapi.delivery import embedded, remote
from xapi.delivery.target import ENTRY_POINTS, Target
from xapi.outbox import stores
from xapi.outbox.models import Store

# The jobs that deliver: to our own store at once, and over the network.
DELIVER = "xapi.deliver"
SEND = "xapi.send"


def start(app: Flask) -> None:
    """Find the targets of the settings; raises Misconfigured where one makes no sense."""
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
    app.extensions["xapi.stores"] = {}


def settled() -> dict[str, Target]:
    """Return the targets that settings and packages give, by name."""
    found: dict[str, Target] = current_app.extensions["xapi.targets"]
    return found


def names() -> list[str]:
    """Return the name of every target that gets what is recorded; paused ones, too.

    Asked anew each time, in the caller's transaction and after it has written to the outbox: so
    every process knows of a new one at once, and none is missed (see `xapi.delivery.backfill`).
    """
    return [*settled(), *stores.names()]


def taken_names() -> list[str]:
    """Return the names that no added record store may have: others', and words of our addresses."""
    return [*settled(), "remote", "embedded", "new"]


def labels() -> dict[str, object]:
    """Return what each target is called, by name; paused ones, too."""
    return {
        **{name: target.label for name, target in settled().items()},
        **{one.name: one.label for one in stores.list_all()},
    }


def targets() -> dict[str, Target]:
    """Return the targets that are served, by name: those that are on and not paused."""
    added = {one.name: as_target(one) for one in stores.list_all() if not one.paused}
    return {**settled(), **added}


def as_target(store: Store) -> Target:
    """Return the target that a record store is; the same object while nothing of it changes.

    It keeps its connection open in between, which makes a request twice as fast.
    """
    known: dict[str, tuple[object, Target]] = current_app.extensions["xapi.stores"]
    written = (store.label, store.endpoint, store.key, store.secret, store.version)
    before = known.get(store.name)
    if before is not None and before[0] == written:
        return before[1]
    made = remote.from_store(store, current_app.config["LMS_LRS_TIMEOUT_SECONDS"])
    known[store.name] = (written, made)
    return made
