"""What is done to networks, as the audit log says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from esn.models import Connector
from lms.db import db
from lms.plugin import Subject

ACTS: Mapping[str, Any] = {
    "esn.connector.added": _l("Network connected"),
    "esn.connector.secret": _l("New secret of a network made"),
    "esn.connector.switched": _l("Network switched on or off"),
    "esn.registration": _l("Registration file taken"),
    "esn.read_again": _l("Past of a network read again"),
    "esn.deliveries.again": _l("Unreadable deliveries read again"),
    "esn.deliveries.thrown_away": _l("Unreadable deliveries thrown away"),
    "esn.account.linked": _l("Account linked with a person by hand"),
    "esn.group.changed": _l("Group changed: its kind, or whether it counts"),
}


def _connectors(uids: Sequence[str]) -> Mapping[str, str]:
    named = select(Connector.uid, Connector.label).where(Connector.uid.in_(uids))
    return dict(db.session.execute(named).tuples().all())


SUBJECTS = (Subject("connector", _l("Network"), _connectors),)
