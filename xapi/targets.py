"""The targets: where statements are delivered, by the settings of this installation."""

from __future__ import annotations

from flask import current_app

EMBEDDED = "embedded"
REMOTE = "remote"
DELIVER = "xapi.deliver"  # the job that delivers


def targets() -> tuple[str, ...]:
    """Return the names of the targets that are on."""
    config = current_app.config
    embedded = (EMBEDDED,) if config.get("LMS_LRS_EMBEDDED") else ()
    return (*embedded, REMOTE) if config.get("LMS_LRS_ENDPOINT") else embedded
