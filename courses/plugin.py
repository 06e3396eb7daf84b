"""What courses adds to the suite."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from flask import Flask
from flask_babel import format_percent
from flask_babel import lazy_gettext as _l

from courses.acts import ACTS, SUBJECTS
from courses.authoring.views import blueprint as authoring
from courses.blocks import content
from courses.catalogue.media import check_media
from courses.exchange.commands import course_commands
from courses.exchange.library import load_shipped
from courses.exchange.views import blueprint as exchange
from courses.paths import held as paths_held
from courses.paths.columns import team_columns
from courses.paths.enrolment import enrol_by_rule, people_changed
from courses.paths.notices import NOTICE_KINDS, remind
from courses.paths.services import note_finished
from courses.paths.standing import note_begun
from courses.player import pages, views
from courses.player.blueprint import blueprint
from courses.player.next_step import home_card
from courses.progress import held as progress_held
from courses.progress import missions
from courses.progress.measures import completed
from courses.progress.services import CourseBegun, CourseCompleted
from lms import clock, days
from lms.config import Setting
from lms.events import Listener, PeopleChanged
from lms.jobs.queue import Job
from lms.plugin import Audience, Check, HomeCard, NavItem, Plugin

DAY_SECONDS = 24 * 3600
VIEWS = (pages, views)  # importing them registers their routes on the blueprint


def start(app: Flask) -> None:
    """Give the app its shelf of published versions, and what our templates need."""
    content.init_app(app)
    app.jinja_env.filters.setdefault("percent", format_percent)
    app.jinja_env.filters.setdefault(
        "isodate", lambda text: days.in_words(dt.date.fromisoformat(text))
    )
    app.jinja_env.globals.setdefault("now", clock.now)


plugin = Plugin(
    name="courses",
    label=_l("Courses"),
    requires=("xapi",),
    models=(
        "courses.catalogue.models",
        "courses.progress.models",
        "courses.paths.models",
    ),
    migrations=Path(__file__).parent / "migrations",
    blueprints=(blueprint, authoring, exchange),
    navigation=(
        NavItem(_l("Courses"), "courses.catalogue", order=20),
        NavItem(_l("Write"), "authoring.courses", Audience.AUTHOR, order=40),
    ),
    home_cards=(HomeCard("courses.next", "courses/home.html", home_card, order=10),),
    team_columns=team_columns,
    commands=(course_commands,),
    jobs=(
        Job("courses.library", load_shipped, every_seconds=DAY_SECONDS),
        Job("courses.enrol", enrol_by_rule, every_seconds=3600),
        Job("courses.remind", remind, every_seconds=6 * 3600),
    ),
    listeners=(
        Listener(CourseBegun, note_begun),
        Listener(CourseCompleted, note_finished),
        Listener(PeopleChanged, people_changed),
    ),
    measures=(completed,),
    conditions=missions.conditions,
    notice_kinds=NOTICE_KINDS,
    acts=ACTS,
    subjects=SUBJECTS,
    folders=("courses-media",),
    settings=(
        Setting(
            "LMS_COURSES_MEDIA",
            "",
            "Folder for the pictures in courses; empty: courses-media in the instance folder.",
        ),
    ),
    demo=((20, "courses.demo.step:LearningStep"),),
    checks=(Check("pictures", check_media, vital=True),),
    held=(*paths_held.HELD, *progress_held.HELD),
    on_start=start,
)
