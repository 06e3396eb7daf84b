"""What esn adds to the suite."""

from __future__ import annotations

from pathlib import Path

from flask_babel import lazy_gettext as _l

from esn.acts import ACTS, SUBJECTS
from esn.commands import esn_commands
from esn.connectors.status import check_networks
from esn.held import HELD
from esn.intake.views import blueprint as intake
from esn.ledger.accounts import CARRY_OVER, forget_person, link_accounts
from esn.ledger.backfill import backfill_connectors
from esn.ledger.intake import BACKFILL, NORMALISE
from esn.ledger.normalise import normalise_deliveries
from esn.ledger.retention import forget_old
from esn.measures.all import MEASURES
from esn.statements import Recorded, parse_recorded
from esn.views import blueprint as pages
from esn.vocabulary import GROUP_KINDS
from lms.config import Setting, parse_list
from lms.events import Listener, PeopleChanged, PersonErased
from lms.jobs.queue import Job, wake
from lms.plugin import Audience, Check, NavItem, Plugin


def people_changed(_event: PeopleChanged) -> None:
    """Somebody new may own an account that is known already."""
    wake(CARRY_OVER)


SETTINGS = (
    Setting(
        "LMS_ESN_STATEMENTS",
        Recorded.COUNTED.value,
        "Which acts in the network become statements: none, counted (those that count toward a "
        "condition somebody works on) or all.",
        parse_recorded,
    ),
    Setting(
        "LMS_ESN_RETENTION_DAYS",
        400,
        "After how many days acts in the network are deleted; 0 keeps them.",
        int,
    ),
    Setting(
        "LMS_ESN_GROUP_KINDS",
        GROUP_KINDS,
        "The kinds of groups that the network may name and rules may ask for.",
        parse_list,
    ),
)

plugin = Plugin(
    name="esn",
    label=_l("Network"),
    requires=("xapi",),
    models=("esn.models",),
    migrations=Path(__file__).parent / "migrations",
    blueprints=(intake, pages),
    csrf_exempt=(intake,),
    navigation=(NavItem(_l("Networks"), "esn.connectors", Audience.ADMINISTRATOR, order=80),),
    checks=(Check("networks", check_networks),),
    commands=(esn_commands,),
    jobs=(
        Job(NORMALISE, normalise_deliveries, every_seconds=20),
        Job(CARRY_OVER, link_accounts, every_seconds=600),
        Job(BACKFILL, backfill_connectors, every_seconds=900),
        Job("esn.retention", forget_old, every_seconds=3600),
    ),
    settings=SETTINGS,
    listeners=(Listener(PeopleChanged, people_changed), Listener(PersonErased, forget_person)),
    measures=MEASURES,
    held=HELD,
    acts=ACTS,
    subjects=SUBJECTS,
    demo=((30, "esn.demo.step:NetworkStep"),),
)
