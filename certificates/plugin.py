"""What certificates adds to the suite."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint
from flask_babel import lazy_gettext as _l

from certificates import evaluation
from certificates.catalogue import EVALUATE
from certificates.documents import RENDER
from certificates.rendering import job as rendering
from lms.config import Setting
from lms.events import EvidenceChanged, Listener, PeopleChanged
from lms.jobs.queue import Job
from lms.plugin import Plugin

blueprint = Blueprint(
    "certificates",
    __name__,
    url_prefix="/certificates",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

plugin = Plugin(
    name="certificates",
    label=_l("Certificates"),
    requires=("xapi",),
    blueprints=(blueprint,),
    models=("certificates.models",),
    migrations=Path(__file__).parent / "migrations",
    settings=(
        Setting(
            "LMS_CERTIFICATES_SWEEP_HOUR",
            2,
            "Hour of the day (LMS_TIME_ZONE) after which everybody is evaluated, once a night.",
            int,
        ),
    ),
    jobs=(
        Job(EVALUATE, evaluation.run, every_seconds=60),
        # Often, since a document that failed is tried again after seconds at first.
        Job(RENDER, rendering.run, every_seconds=15),
        Job("certificates.library", evaluation.run_library, every_seconds=3600),
    ),
    listeners=(
        Listener(EvidenceChanged, evaluation.note_evidence),
        Listener(PeopleChanged, evaluation.note_people),
    ),
)
