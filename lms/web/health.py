"""Health: one JSON answer for machines, the same checks in words for `ropes doctor`."""

from __future__ import annotations

import logging
from typing import Any

from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from lms.db import db
from lms.errors import Misconfigured
from lms.jobs.worker import STALE_SECONDS, seconds_since_beat
from lms.migrate import check_not_newer, pending
from lms.plugin import Check, Plugin
from lms.web.writable import check_writing

log = logging.getLogger(__name__)


def check_database() -> str | None:
    """Ask the database for an answer."""
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        log.warning("database check: %s", type(error).__name__)
        return "The database does not answer. Check LMS_DATABASE_URL and that the server runs."
    return None


def check_migrations() -> str | None:
    """Compare the database's revision with the code's."""
    try:
        check_not_newer()
    except Misconfigured as error:
        return str(error)
    waiting = pending()
    if waiting:
        return f"The database is not up to date ({', '.join(waiting)}). Run `ropes db upgrade`."
    return None


def check_worker() -> str | None:
    """Ask when a worker was last seen."""
    age = seconds_since_beat()
    if age is None:
        return "No worker has been seen yet. Start one with `ropes work` (`ropes serve` does)."
    if age > STALE_SECONDS:
        return f"The worker was last seen {age:.0f} seconds ago. Start one with `ropes work`."
    return None


KERNEL_CHECKS = (
    Check("database", check_database, vital=True),
    Check("writing", check_writing, vital=True),
    Check("migrations", check_migrations, vital=True),
    Check("worker", check_worker, vital=True),
)


def report() -> dict[str, Any]:
    """Return `{"status": "ok" | "failing", "checks": {name: "ok" | what is wrong}}`."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    checks = [*KERNEL_CHECKS, *(check for part in parts for check in part.checks if check.vital)]
    found: dict[str, str] = {"web": "ok"}
    for check in checks:
        try:
            found[check.name] = check.run() or "ok"
        except SQLAlchemyError as error:
            log.warning("check %s: %s", check.name, type(error).__name__)
            found[check.name] = "It could not be checked: the database did not answer."
        db.session.rollback()  # the next check takes a connection of its own: one is enough for all
    well = all(answer == "ok" for answer in found.values())
    return {"status": "ok" if well else "failing", "checks": found}
