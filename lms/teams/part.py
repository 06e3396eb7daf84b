"""What the room `teams` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from lms.db import db
from lms.events import EvidenceChanged, Listener, PeopleChanged, StandingChanged
from lms.people.models import Person
from lms.plugin import Audience, HomeCard, NavItem, Plugin, is_brought
from lms.teams.held import HELD
from lms.teams.nudges import NUDGE, THANKS
from lms.teams.query import Scope
from lms.teams.selection import Asked, overview
from lms.teams.services import count_people
from lms.teams.standing import job, note_evidence, note_standing
from lms.teams.views import blueprint
from lms.teams.words import headline


def load_card(person_id: int) -> Mapping[str, Any] | None:
    """Return how those stand who report to the person directly; None for those with no reports.

    None as well where no plugin asks anything of anybody.
    """
    if not is_brought("team_columns"):
        return None
    person = db.session.get(Person, person_id)
    if person is None or not person.is_manager:
        return None
    counts = count_people(overview(Asked(Scope.DIRECT, person.id)).counted)
    return {"headline": headline(counts), "people": counts.total()}


part = Plugin(
    name="teams",
    label="teams",
    models=("lms.teams.models",),
    blueprints=(blueprint,),
    navigation=(
        NavItem(_l("Your team"), "teams.team", Audience.MANAGER, order=60, needs="team_columns"),
    ),
    home_cards=(HomeCard("teams", "teams/card.html", load_card, order=70),),
    jobs=(job,),
    listeners=(
        Listener(StandingChanged, note_standing),
        Listener(EvidenceChanged, note_evidence),
        Listener(PeopleChanged, note_evidence),
    ),
    notice_kinds=(NUDGE, THANKS),
    held=HELD,
)
