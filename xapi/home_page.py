"""`ropes doctor` asks whether people are still named by the home page that they were named by."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import Text, select, type_coerce

from lms.db import db
from xapi.delivery.embedded import AUTHORITY
from xapi.lrs.models import LrsAgent


def check_home_page() -> str | None:
    """Say that LMS_HOME_PAGE was changed: half of everybody's identity in every record store.

    Seen by the authority of what Ropes itself recorded, which the built-in store knows.
    """
    now: str = current_app.config["LMS_HOME_PAGE"]
    identifier = type_coerce(LrsAgent.identifier, Text)
    found = db.session.scalars(
        select(LrsAgent.identifier).where(identifier.contains(f'"name":"lrs/{AUTHORITY}"'))
    )
    before = sorted({one["account"]["homePage"] for one in found} - {now})
    if not before:
        return None
    return (
        f"Statements name people by the home page {before[0]}, and LMS_HOME_PAGE is {now} now: "
        "record stores take them for somebody else. Set LMS_HOME_PAGE to what it was."
    )
