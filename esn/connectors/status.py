"""How each connector does, in words and numbers of the whole: nothing about any one person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import ColumnElement, func, select

from esn.connectors.contract import NetworkConnector, kinds
from esn.connectors.silence import Heard, Silence, is_new, judge
from esn.ledger.normalise import TRIES
from esn.models import Account, Connector, Delivery, Group
from lms import clock
from lms.db import db
from lms.errors import from_kept


class Health(StrEnum):
    """What an administrator has to do about it."""

    WELL = "well"
    NEW = "new"  # nothing has come yet
    OFF = "off"
    NEEDS_YOU = "needs you"


@dataclass(frozen=True, slots=True)
class Status:
    """One connector as it stands."""

    connector: Connector
    kind: NetworkConnector | None
    health: Health
    sentence: str
    waiting: int
    unreadable: int
    linked: int
    unknown: int
    acts: int
    last_delivery_at: dt.datetime | None

    @property
    def address(self) -> str:
        """Where the network sends what happens."""
        base: str = current_app.config["LMS_BASE_URL"]
        return f"{base.rstrip('/')}/esn/intake/{self.connector.uid}"


def statuses() -> list[Status]:
    """Return how every connector does, in the order in which they were added; five queries."""
    connectors = db.session.scalars(select(Connector).order_by(Connector.id)).all()
    installed = kinds()
    counts = _Counts.read()
    return [_status(one, installed.get(one.kind), counts) for one in connectors]


def status_of(connector: Connector) -> Status:
    """Return how one connector does."""
    return _status(connector, kinds().get(connector.kind), _Counts.read())


def groups_of(connector: Connector) -> Sequence[Group]:
    """Return the groups of which the network told us, open ones by name, closed ones last."""
    return db.session.scalars(
        select(Group)
        .where(Group.connector_id == connector.id)
        .order_by(Group.name == "", func.lower(Group.name), Group.id)
    ).all()


def check_networks() -> str | None:
    """Say what is wrong with any network (`ropes doctor`); None when nothing is."""
    wrong = [one for one in statuses() if one.health is Health.NEEDS_YOU]
    return (
        None if not wrong else " ".join(f"“{one.connector.label}”: {one.sentence}" for one in wrong)
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    waiting: dict[int, int]
    unreadable: dict[int, int]
    linked: dict[int, int]
    unknown: dict[int, int]

    @classmethod
    def read(cls) -> _Counts:
        open_ = Delivery.done_at.is_(None)
        return cls(
            waiting=_by_connector(Delivery, open_, Delivery.tries < TRIES),
            unreadable=_by_connector(Delivery, open_, Delivery.tries >= TRIES),
            linked=_by_connector(Account, Account.person_id.is_not(None)),
            unknown=_by_connector(Account, Account.person_id.is_(None)),
        )


def _by_connector(model: type[Any], *where: ColumnElement[bool]) -> dict[int, int]:
    rows = db.session.execute(
        select(model.connector_id, func.count()).where(*where).group_by(model.connector_id)
    )
    return dict(rows.tuples().all())


def _status(connector: Connector, kind: NetworkConnector | None, counts: _Counts) -> Status:
    waiting = counts.waiting.get(connector.id, 0)
    unreadable = counts.unreadable.get(connector.id, 0)
    health, sentence = _words(connector, kind, waiting, unreadable)
    return Status(
        connector,
        kind,
        health,
        sentence,
        waiting,
        unreadable,
        counts.linked.get(connector.id, 0),
        counts.unknown.get(connector.id, 0),
        connector.acts,
        connector.last_delivery_at,
    )


def _words(
    connector: Connector, kind: NetworkConnector | None, waiting: int, unreadable: int
) -> tuple[Health, str]:
    if kind is None:
        return Health.NEEDS_YOU, _("The package that reads this kind of network is not installed.")
    if not connector.active:
        return Health.OFF, _("Switched off: what the network sends is refused.")
    missing = kind.setting_up(connector)
    if missing is not None:
        return Health.NEEDS_YOU, missing
    if connector.trouble:
        return Health.NEEDS_YOU, " ".join(
            from_kept(line).shown() for line in connector.trouble.split("\n")
        )
    if unreadable:
        return Health.NEEDS_YOU, ngettext(
            "%(num)s delivery could not be read, five times over.",
            "%(num)s deliveries could not be read, five times over.",
            unreadable,
        )
    quiet = _words_of_silence(connector, kind)
    if quiet is not None:
        return quiet
    if waiting:
        return Health.WELL, ngettext(
            "%(num)s delivery is being read.", "%(num)s deliveries are being read.", waiting
        )
    if not connector.acts:
        if is_new(heard_of(connector), clock.now()):
            return Health.NEW, _("Nothing that counts has arrived yet.")
        return Health.NEEDS_YOU, _(
            "Everything that arrived has been read, and no act of anybody was in it. %(look_at)s",
            look_at=kind.look_at,
        )
    return Health.WELL, _("Everything that arrived has been read.")


def heard_of(connector: Connector) -> Heard:
    """Return when a network was heard of."""
    return Heard(
        connector.created_at, connector.last_delivery_at, connector.longest_silence_seconds
    )


def _words_of_silence(connector: Connector, kind: NetworkConnector) -> tuple[Health, str] | None:
    heard, now = heard_of(connector), clock.now()
    days = heard.days_silent(now)
    match judge(heard, now):
        case Silence.NONE:
            return None
        case Silence.NEW:
            return Health.NEW, _("Nothing has arrived yet.")
        case Silence.NEVER_HEARD:
            return Health.NEEDS_YOU, ngettext(
                "Nothing has arrived since it was connected, %(num)s day ago. %(look_at)s",
                "Nothing has arrived since it was connected, %(num)s days ago. %(look_at)s",
                days,
                look_at=kind.look_at,
            )
        case Silence.LONGER_THAN_EVER:
            return Health.NEEDS_YOU, ngettext(
                "Nothing has arrived for %(num)s day; it was never silent so long. %(look_at)s",
                "Nothing has arrived for %(num)s days; it was never silent so long. %(look_at)s",
                days,
                look_at=kind.look_at,
            )
