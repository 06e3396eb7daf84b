"""What the room `teams` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from lms.db import db
from lms.people.models import Person
from lms.plugin import Audience, HomeCard, NavItem, Plugin, is_brought
from lms.teams.columns import all_columns, table_columns
from lms.teams.nudges import NUDGE, THANKS
from lms.teams.query import Scope
from lms.teams.roster import Roster
from lms.teams.services import people_of
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
    counts = Roster(people_of(person, Scope.DIRECT), table_columns(all_columns())).counts()
    return {"headline": headline(counts), "people": sum(counts.values())}


part = Plugin(
    name="teams",
    label="teams",
    blueprints=(blueprint,),
    navigation=(
        NavItem(_l("Your team"), "teams.team", Audience.MANAGER, order=60, needs="team_columns"),
    ),
    home_cards=(HomeCard("teams", "teams/card.html", load_card, order=70),),
    notice_kinds=(NUDGE, THANKS),
)
