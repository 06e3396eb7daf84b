"""A nudge and a thank-you: notices that a manager sends with one press."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from lms import clock
from lms.clock import day_number
from lms.notices.services import send
from lms.people.models import Person
from lms.plugin import NoticeKind

NUDGE = NoticeKind(
    "teams.nudge",
    _l("%(manager)s asks: can you look at %(titles)s?"),
    "teams/mail/nudge",
    "A manager reminds somebody of what is due; once a day at most, whoever presses.",
)
THANKS = NoticeKind(
    "teams.thanks",
    _l("%(manager)s says thank you"),
    "teams/mail/thanks",
    "A manager thanks somebody who has done all that was asked.",
    label=_l("Thanks for what is done"),
)


def nudge_key(person_id: int) -> str:
    """Return the key of today's nudge: one a day for each person, whoever presses."""
    return f"teams.nudge/{person_id}/{day_number(clock.now())}"


def thanks_key(manager_id: int, person_id: int, achieved: int) -> str:
    """Return the key of a thank-you: once from each manager for what is done by now."""
    return f"teams.thanks/{manager_id}/{person_id}/{achieved}"


def nudge(manager: Person, person_id: int, items: list[str]) -> bool:
    """Remind somebody of the titles in `items`; return False where that happened today already."""
    return send(
        NUDGE.slug,
        person_id,
        nudge_key(person_id),
        manager_person_id=manager.id,
        items=items,
        titles=", ".join(items),
        path="/",
    )


def thank(manager: Person, person_id: int, achieved: int) -> bool:
    """Thank somebody for `achieved` items; return False where that was said already."""
    return send(
        THANKS.slug,
        person_id,
        thanks_key(manager.id, person_id, achieved),
        manager_person_id=manager.id,
    )
