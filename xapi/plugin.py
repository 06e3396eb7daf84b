"""What xapi adds to the suite."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_babel import lazy_gettext as _l

from lms.config import Setting, parse_bool
from lms.jobs.queue import Job
from lms.plugin import Audience, Check, NavItem, Plugin
from lms.writers import on_writing
from xapi import targets
from xapi.acts import ACTS, SUBJECTS
from xapi.commands import lrs
from xapi.delivery import run
from xapi.delivery.report import check_delivery
from xapi.delivery.target import parse_version
from xapi.home_page import check_home_page
from xapi.keeping import export, held, removal, retention
from xapi.lrs import (  # noqa: F401 - views join the blueprint
    callers,
    described,
    known,
    resources,
    statements,
    uses,
)
from xapi.lrs.views import blueprint as lrs_blueprint
from xapi.outbox.held import HELD
from xapi.pages import (  # noqa: F401 - their views join the blueprint
    browser,
    credentials,
    delivery,
    keeping,
    remove_person,
    statement,
    stores,
)
from xapi.pages.blueprint import blueprint as pages
from xapi.pages.home import CARD
from xapi.profile.views import blueprint as profile

SETTINGS = (
    Setting("LMS_LRS_EMBEDDED", True, "Keep statements in the built-in record store.", parse_bool),
    Setting("LMS_LRS_ENDPOINT", "", "Address of the company's record store (xAPI LRS), if any."),
    Setting("LMS_LRS_KEY", "", "Key at the company's record store."),
    Setting("LMS_LRS_SECRET", "", "Secret at the company's record store.", secret=True),
    Setting(
        "LMS_LRS_VERSION",
        "1.0.3",
        "Version of xAPI to speak to record stores, the built-in one too: 1.0.3 or 2.0.0.",
        parse_version,
    ),
    Setting("LMS_LRS_TIMEOUT_SECONDS", 20.0, "How long it may take to answer.", float),
    Setting("LMS_LRS_RETRY_SECONDS", 2.0, "First wait after a failure; it doubles.", float),
    Setting("LMS_LRS_RETRY_MOST_SECONDS", 900.0, "Longest wait between tries.", float),
    Setting(
        "LMS_LRS_BODY_MOST_BYTES",
        32 * 1024 * 1024,
        "What the built-in store takes in one request, attachments and all.",
        int,
    ),
    Setting(
        "LMS_LRS_JSON_MOST_BYTES",
        4 * 1024 * 1024,
        "How much of that may be JSON, which takes up to 30 times as much memory.",
        int,
    ),
    Setting("LMS_LRS_BATCH_MOST", 1000, "Statements that it takes in one request.", int),
)


def start(app: Flask) -> None:
    """Find the record stores, and have credentials asked for again where statements are stored."""
    targets.start(app)
    on_writing(app, callers.refuse_revoked)


plugin = Plugin(
    name="xapi",
    label=_l("Statements"),
    models=("xapi.outbox.models", "xapi.lrs.models", "xapi.keeping.models"),
    blueprints=(lrs_blueprint, pages, profile),
    csrf_exempt=(lrs_blueprint,),
    folders=("xapi-exports",),
    navigation=(NavItem(_l("Statements"), "xapi.delivery", Audience.ADMINISTRATOR, order=85),),
    home_cards=(CARD,),
    checks=(
        Check("record stores", check_delivery),
        Check("home page", check_home_page),
    ),
    commands=(lrs,),
    jobs=(
        Job(targets.DELIVER, run.deliver, 5.0),
        Job(targets.SEND, run.send, 5.0),
        Job(export.JOB, export.work, 300.0),
        Job(removal.JOB, removal.work, 60.0),
        Job(retention.JOB, retention.work, 3600.0),
        Job(uses.NOTE, uses.note, uses.EVERY_SECONDS),
    ),
    demo=((10, "xapi.demo.step:RecordStoreStep"),),
    held=(*HELD, *held.HELD),
    acts=ACTS,
    subjects=SUBJECTS,
    erasable=removal.ERASABLE,
    on_start=start,
    settings=SETTINGS,
    migrations=Path(__file__).parent / "migrations",
)
