"""What esn adds to the suite."""

from __future__ import annotations

from pathlib import Path

from flask_babel import lazy_gettext as _l

from esn.intake.views import blueprint as intake
from esn.ledger.accounts import forget_person, link_accounts
from esn.ledger.intake import NORMALISE
from esn.ledger.normalise import normalise_deliveries
from esn.measures.all import MEASURES
from lms.events import Listener, PeopleChanged, PersonErased
from lms.jobs.queue import Job, wake
from lms.plugin import Plugin

LINK = "esn.link"


def people_changed(_event: PeopleChanged) -> None:
    """Somebody new may own an account that is known already."""
    wake(LINK)


plugin = Plugin(
    name="esn",
    label=_l("Network"),
    requires=("xapi",),
    models=("esn.models",),
    migrations=Path(__file__).parent / "migrations",
    blueprints=(intake,),
    csrf_exempt=(intake,),
    jobs=(
        Job(NORMALISE, normalise_deliveries, every_seconds=20),
        Job(LINK, link_accounts, every_seconds=600),
    ),
    listeners=(Listener(PeopleChanged, people_changed), Listener(PersonErased, forget_person)),
    measures=MEASURES,
    demo=((30, "esn.demo.step:NetworkStep"),),
)
