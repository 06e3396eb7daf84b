"""All that this package adds, in one readable record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lms.config import Setting
from lms.events import Listener, PersonErased
from lms.plugin import Held, HomeCard, NavItem, Plugin
from rounds.evidence import Walked, columns
from rounds.services import forget, rounds_of
from rounds.views import blueprint, home_card


def held_rows(person_id: int) -> Sequence[Mapping[str, Any]]:
    """What we hold about a person."""
    return [{"walked_at": one.walked_at, "seen": one.seen} for one in rounds_of(person_id)]


plugin = Plugin(
    name="rounds",
    label="Safety rounds",
    models=("rounds.models",),
    migrations=Path(__file__).parent / "migrations",
    blueprints=(blueprint,),
    navigation=(NavItem("Safety rounds", "rounds.mine", order=30),),
    home_cards=(HomeCard("rounds", "rounds/home_card.html", home_card, order=60),),
    team_columns=columns,
    settings=(
        Setting("LMS_ROUNDS_A_MONTH", 1, "Rounds asked of everybody a month; 0: none.", int),
    ),
    listeners=(Listener(PersonErased, forget),),
    measures=(Walked(),),
    held=(
        Held(
            "rounds.rounds",
            "Safety rounds",
            "So that what was seen can be mended.",
            "You; those above you see only whether you walked this month.",
            "Until you leave.",
            held_rows,
        ),
    ),
)
