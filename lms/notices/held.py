"""What is held about a person here: what they were told, and what became of mail to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from lms.db import db
from lms.mail.trouble import MailTrouble
from lms.notices.models import Notice
from lms.notices.services import kinds
from lms.notices.stops import stopped_kinds
from lms.notices.words import filled, people_in, subject
from lms.people.names import display_names
from lms.plugin import Held


def told(person_id: int) -> Sequence[Mapping[str, Any]]:
    """Notices, kinds of mail that were stopped, and whether the address is refused."""
    asked = select(Notice).where(Notice.person_id == person_id).order_by(Notice.id.desc())
    notices = list(db.session.scalars(asked))
    names, declared = display_names(people_in(notices)), kinds()
    found: list[Mapping[str, Any]] = [
        {
            "at": notice.created_at,
            # Of a plugin that is off only the kind can be said.
            "said": subject(declared[notice.kind], filled(notice, names))
            if notice.kind in declared
            else notice.kind,
            "read_at": notice.read_at,
            "mail": notice.mailing,
        }
        for notice in notices
    ]
    found += [{"no_mail_of": kind} for kind in sorted(stopped_kinds(person_id))]
    refused = select(MailTrouble).where(MailTrouble.person_id == person_id)
    found += [
        {"mail_refused_since": line.since, "answer": line.code}
        for line in db.session.scalars(refused)
    ]
    return found


HELD = (
    Held(
        "told",
        _l("What you were told"),
        _l("So that it stands on your page, and is mailed once and not twice."),
        _l("You. Administrators see whether the mail server refuses your address."),
        _l("Until you leave and an administrator removes your name."),
        told,
    ),
)
