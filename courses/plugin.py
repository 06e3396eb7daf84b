"""What courses adds to the suite."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_babel import lazy_gettext as _l

from courses.blocks import content
from courses.exchange.commands import course_commands
from lms.config import Setting
from lms.plugin import Plugin


def start(app: Flask) -> None:
    """Give the app its shelf of published versions."""
    content.init_app(app)


plugin = Plugin(
    name="courses",
    label=_l("Courses"),
    requires=("xapi",),
    models=("courses.catalogue.models",),
    migrations=Path(__file__).parent / "migrations",
    commands=(course_commands,),
    settings=(
        Setting(
            "LMS_COURSES_MEDIA",
            "",
            "Folder for the pictures in courses; empty: courses-media in the instance folder.",
        ),
    ),
    on_start=start,
)
