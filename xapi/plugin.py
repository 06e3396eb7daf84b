"""What xapi adds to the suite."""

from __future__ import annotations

from pathlib import Path

from flask_babel import lazy_gettext as _l

from lms.plugin import Plugin

plugin = Plugin(
    name="xapi",
    label=_l("Statements"),
    models=("xapi.outbox.models",),
    migrations=Path(__file__).parent / "migrations",
)
