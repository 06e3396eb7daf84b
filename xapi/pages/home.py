"""The administrator's first page: what the record stores say, when they need somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import current_app

from lms.db import db
from lms.people.models import Person
from lms.plugin import HomeCard
from xapi.delivery.report import report
from xapi.outbox.stores import is_alone


def load_card(person_id: int) -> Mapping[str, Any] | None:
    """Return how delivery goes, for administrators; None for others, and where all is well.

    Where statements are all that this installation is for, the card is always there: it is then
    what one comes for.
    """
    person = db.session.get(Person, person_id)
    if person is None or not person.is_administrator:
        return None
    stores = report()
    failing = sum(1 for one in stores if one.failures and not one.paused)
    refused = sum(one.parked for one in stores)
    alone = is_alone()
    if not (failing or refused or alone):
        return None
    return {
        "primary": alone,
        "alone": alone,
        "failing": failing,
        "refused": refused,
        "endpoint": current_app.config["LMS_BASE_URL"].rstrip("/") + "/xapi/",
    }


CARD = HomeCard("xapi", "xapi/home_card.html", load_card, order=80)
