"""The job that sends notices as mail: finds waiting rows, sends, notes what came of it.

The connection to the mail server is open outside of every transaction. A row is noted as sent
after the server took the mail: a worker killed in between sends that one mail twice, with the same
Message-ID, so that a mailbox can drop the second.
"""

from __future__ import annotations

import datetime as dt
import logging
from smtplib import SMTPException, SMTPRecipientsRefused
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import select

from lms import clock
from lms.db import db, transaction
from lms.moments import is_due
from lms.notices.models import Mailing, Notice
from lms.notices.services import kinds
from lms.notices.words import mail_parts
from lms.people.mail import mail_is_set_up, send_mail
from lms.people.models import Identity, Person

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 60
MOST_WAIT_SECONDS = 6 * 3600
MOST_WAIT = dt.timedelta(seconds=MOST_WAIT_SECONDS)
MOST_TRIES = 12  # about two days, with the waits above
MAILS_A_RUN = 100


def mail_waiting() -> None:
    """Send what waits and is due; stop at the first sign that the server itself is away."""
    if not mail_is_set_up():
        return
    for notice_id in _due():
        if not _send_one(notice_id):
            return


def _due() -> list[int]:
    with transaction() as session:
        return list(
            session.scalars(
                select(Notice.id)
                .where(
                    Notice.mailing == Mailing.WAITING,
                    is_due(Notice.next_try_at, MOST_WAIT),
                    Notice.kind.in_(list(kinds())),
                )
                .order_by(Notice.next_try_at, Notice.id)
                .limit(MAILS_A_RUN)
            )
        )


def _send_one(notice_id: int) -> bool:
    """Send one mail; return False where there is no use in trying the next just now."""
    with transaction(reads_first=True) as session:
        notice = session.get(Notice, notice_id)
        if notice is None or notice.mailing != Mailing.WAITING:
            return True
        person = session.get(Person, notice.person_id)
        identity = session.get(Identity, notice.person_id)
        email = notice.address or (identity.email if identity else None)
        if person is None or not person.active or identity is None or not email:
            notice.mailing = Mailing.NONE
            forget_address(notice)
            return True
        message_id = f"notice-{notice.id}-{notice.created_at:%Y%m%d%H%M%S}@{_host()}"
        with force_locale(person.language or current_app.config["LMS_LANGUAGE"]):
            subject, text, html = mail_parts(notice, kinds()[notice.kind])
    try:
        send_mail(email, subject, text, html, message_id)
    except SMTPRecipientsRefused as error:
        _note_failure(notice_id, "the address was refused", final=_is_final(error))
        return True
    except (OSError, SMTPException) as error:
        log.warning("mail of notice %s: %s", notice_id, type(error).__name__)
        _note_failure(notice_id, f"the mail server did not take it ({type(error).__name__})")
        return False
    with transaction():
        sent = db.session.get(Notice, notice_id)
        if sent is not None:
            sent.mailing, sent.sent_at, sent.failed = Mailing.SENT, clock.now(), ""
            forget_address(sent)
    return True


def forget_address(notice: Notice) -> None:
    """Forget the former address that a notice was for, once nothing is sent there any more."""
    if notice.address is not None:
        notice.address = ""


def _host() -> str:
    return urlsplit(current_app.config["LMS_BASE_URL"]).hostname or "localhost"


def _is_final(error: SMTPRecipientsRefused) -> bool:
    """Whether every answer was one for good (5yz, RFC 5321, 4.2.1)."""
    return all(code >= 500 for code, _words in error.recipients.values())


def _note_failure(notice_id: int, reason: str, *, final: bool = False) -> None:
    with transaction():
        notice = db.session.get(Notice, notice_id)
        if notice is None:
            return
        notice.tries += 1
        notice.failed = reason
        if final or notice.tries >= MOST_TRIES:
            notice.mailing = Mailing.FAILED
            forget_address(notice)
        else:
            wait = min(FIRST_WAIT_SECONDS * 2 ** (notice.tries - 1), MOST_WAIT_SECONDS)
            notice.next_try_at = clock.now() + dt.timedelta(seconds=wait)


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
    return f"Mails of the last week could not be delivered: {given_up}. Check LMS_MAIL_SERVER."
