"""What certificates adds to the suite."""

from __future__ import annotations

from pathlib import Path

from flask_babel import lazy_gettext as _l

from certificates import (
    admin_views,
    administration,
    evaluation,
    in_force,
    progress,
    verify_views,
    views,
)
from certificates.acts import ACTS, SUBJECTS
from certificates.awards import EARNED
from certificates.catalogue import EVALUATE
from certificates.columns import columns, note_people
from certificates.commands import certificates_commands
from certificates.documents import RENDER
from certificates.held import HELD
from certificates.rendering import fit
from certificates.rendering import job as rendering
from lms.config import Setting
from lms.events import EvidenceChanged, Listener, PeopleChanged, PersonErased
from lms.jobs.queue import Job
from lms.plugin import Audience, Check, HomeCard, NavItem, NoticeKind, Plugin

plugin = Plugin(
    name="certificates",
    label=_l("Certificates"),
    requires=("xapi",),
    models=("certificates.models",),
    migrations=Path(__file__).parent / "migrations",
    blueprints=(views.blueprint, verify_views.blueprint, admin_views.blueprint),
    navigation=(
        NavItem(_l("Certificates"), "certificates.mine", order=30),
        NavItem(
            _l("Manage certificates"),
            "certificates_admin.overview",
            Audience.ADMINISTRATOR,
            order=75,
        ),
    ),
    home_cards=(
        HomeCard(
            "certificates.nearest", "certificates/home_card.html", progress.home_card, order=40
        ),
    ),
    team_columns=columns,
    acts=ACTS,
    subjects=SUBJECTS,
    folders=("certificates",),
    settings=(
        Setting(
            "LMS_CERTIFICATES_SWEEP_HOUR",
            2,
            "Hour of the day (LMS_TIME_ZONE) after which everybody is evaluated, once a night.",
            int,
        ),
    ),
    commands=(certificates_commands,),
    jobs=(
        Job(EVALUATE, evaluation.run, every_seconds=60),
        # Often, since a document that failed is tried again after seconds at first.
        Job(RENDER, rendering.run, every_seconds=15),
        Job("certificates.library", evaluation.run_library, every_seconds=3600),
    ),
    listeners=(
        Listener(EvidenceChanged, evaluation.note_evidence),
        Listener(PeopleChanged, note_people),
        Listener(PeopleChanged, evaluation.note_people),
        Listener(PersonErased, evaluation.note_erased),
    ),
    demo=((40, "certificates.demo.step:CertificateStep"),),
    held=HELD,
    conditions=in_force.conditions,
    notice_kinds=(
        NoticeKind(
            EARNED,
            _l("You have earned %(title)s"),
            "certificates/notices/earned",
            "tells a person that they have earned a certificate, and where it is",
        ),
    ),
    checks=(
        Check("certificates printed", administration.check_printing),
        Check("certificate rules", administration.check_rules),
        Check("drawing", fit.check_pango),
        Check("fonts", fit.check_fonts),
    ),
)
