"""What the network told us about somebody, for that person's own page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from esn.models import Account, Connector, Usage
from esn.vocabulary import Act, Client
from lms.db import db
from lms.plugin import Held

ACT_WORDS = {
    Act.POSTED: _l("Posted"),
    Act.REPLIED: _l("Replied"),
    Act.COMMENTED: _l("Commented"),
    Act.REACTED: _l("Reacted"),
    Act.SHARED: _l("Shared something"),
    Act.MENTIONED: _l("Mentioned a colleague"),
    Act.ASKED: _l("Asked"),
    Act.ANSWERED: _l("Answered"),
    Act.SEARCHED: _l("Searched"),
    Act.JOINED: _l("Joined a group"),
    Act.LEFT: _l("Left a group"),
    Act.FOLLOWED: _l("Followed somebody or something"),
    Act.UPDATED: _l("Changed something"),
}
CLIENT_WORDS = {Client.MOBILE: _l("phone"), Client.DESKTOP: _l("computer")}


def acts(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Return every act, newest first: all that there is of it but our own ids and digests."""
    rows = db.session.execute(
        select(
            Usage.occurred_at,
            Usage.verb,
            Usage.group_kind,
            Usage.client,
            Usage.count,
            Connector.label,
        )
        .join(Connector, Connector.id == Usage.connector_id)
        .where(Usage.person_id == person_id)
        .order_by(Usage.occurred_at.desc(), Usage.id.desc())
    )
    return [
        {
            _("When"): at,
            _("What"): str(ACT_WORDS.get(Act(verb), verb)),
            _("Network"): label,
            _("Kind of group"): kind,
            _("From"): str(CLIENT_WORDS.get(Client(client), _("not known"))),
            _("How often"): count,
        }
        for at, verb, kind, client, count, label in rows
    ]


def links(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Return in which networks an account is known to be this person's."""
    rows = db.session.execute(
        select(Connector.label, Account.linked_at)
        .join(Connector, Connector.id == Account.connector_id)
        .where(Account.person_id == person_id)
        .order_by(Account.linked_at.desc(), Account.id)
    )
    return [{_("Network"): label, _("Linked"): at} for label, at in rows]


HELD = (
    Held(
        "esn.acts",
        _l("What the network told us"),
        _l(
            "That you took part counts toward your certificates. What you write or read, and with "
            "whom you speak in private, never reaches us."
        ),
        _l(
            "You alone see single acts. Managers see whether a certificate’s condition is met, "
            "never how much you did."
        ),
        _l("Deleted after the time that your company has set; your certificates stay."),
        acts,
    ),
    Held(
        "esn.links",
        _l("Your accounts in networks"),
        _l("So that what you do there counts for you. The account’s id is kept as a code only."),
        _l("Nobody; administrators see how many accounts are linked."),
        _l("Until your name is removed here."),
        links,
    ),
)
