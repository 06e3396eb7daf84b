"""The job that sends notices as mail, by the one sender (`lms.mail.sender`)."""

from __future__ import annotations

import datetime as dt

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import select

from lms import clock
from lms.db import db
from lms.mail.rows import Mailing
from lms.mail.sender import Box, drain
from lms.mail.smtp import Letter, host_name
from lms.notices import stops
from lms.notices.models import Notice
from lms.notices.services import kinds
from lms.notices.words import mail_parts
from lms.people.models import Identity, Person

FIRST_WAIT_SECONDS = 60
MOST_WAIT_SECONDS = 6 * 3600
MOST_TRIES = 12  # about two days, with the waits above
DOUBT_SECONDS = 3600


def mail_waiting() -> None:
    """Send what waits and is due."""
    drain(BOX)


def _letter(notice: Notice) -> Letter | None:
    """Return a notice's mail; None where it stands on the person's page alone."""
    person = db.session.get(Person, notice.person_id)
    identity = db.session.get(Identity, notice.person_id)
    email = notice.address or (identity.email if identity else None)
    if person is None or not person.active or identity is None or not email:
        return None
    kind = kinds()[notice.kind]
    if stops.is_stopped(person.id, kind):
        return None
    stop_url = stops.stop_url(person, kind) if kind.label else ""
    with force_locale(person.language or current_app.config["LMS_LANGUAGE"]):
        subject, text, html = mail_parts(notice, kind, stop_url)
    message_id = f"notice-{notice.id}-{notice.created_at:%Y%m%d%H%M%S}@{host_name()}"
    return Letter(email, subject, text, html, message_id, stop_url)


BOX = Box(
    Notice,
    lambda: (Notice.kind.in_(list(kinds())),),
    _letter,
    lambda notice: notice.person_id,
    FIRST_WAIT_SECONDS,
    MOST_WAIT_SECONDS,
    MOST_TRIES,
    DOUBT_SECONDS,
    closed=lambda notice: _note_closed(notice),
)


def forget_address(notice: Notice) -> None:
    """Forget the former address that a notice was for, once nothing is sent there any more."""
    if notice.address is not None:
        notice.address = ""


def _note_closed(notice: Notice) -> None:
    if notice.mailing == Mailing.SENT:
        notice.sent_at = clock.now()
    forget_address(notice)


def check_mailing() -> str | None:
    """For `ropes doctor`: say when mails were given up."""
    given_up = db.session.scalar(
        select(Notice.failed)
        .where(
            Notice.mailing == Mailing.FAILED,
            Notice.created_at > clock.now() - dt.timedelta(days=7),
        )
        .limit(1)
    )
    if given_up is None:
        return None
    return f"Mails of the last week could not be delivered: {given_up}. Look under People."
