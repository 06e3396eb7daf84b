"""The one sender: claims a row, sends it, notes what came of it; each mail stands for itself.

Three short transactions a mail; none is open while the server is waited for. A worker that is
killed leaves a claim: once that has run out, the mail counts as one that may have gone out.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from lms import clock
from lms.db import db, transaction, writing
from lms.mail import trouble
from lms.mail.rows import Mailing, claim
from lms.mail.smtp import Answer, Letter, Line, Outcome

log = logging.getLogger(__name__)

MOST_DOUBTS = 1  # so often a mail that may have gone out is sent once more, after `doubt_seconds`
UNKNOWN = Answer(Outcome.DOUBT, 0, "the worker ended while it sent")


@dataclass(frozen=True, slots=True)
class Box:
    """One kind of rows to be mailed.

    model: a `MailRow`. where: which of its rows. letter(row): what to send, or None where nothing
    is to be sent; called in a transaction that only reads. person_id(row): whose mail it is.
    closed(row): called when no more is done with a row. Waits for a next try double from
    `first_seconds` to `most_seconds`; a mail that may have gone out waits `doubt_seconds`.
    """

    model: Any
    where: Callable[[], tuple[ColumnElement[bool], ...]]
    letter: Callable[[Any], Letter | None]
    person_id: Callable[[Any], int]
    first_seconds: int
    most_seconds: int
    most_tries: int
    doubt_seconds: int
    closed: Callable[[Any], None] = lambda _row: None


def mail_is_set_up() -> bool:
    """Whether there is a server to hand mail to."""
    return bool(current_app.config["LMS_MAIL_SERVER"])


def drain(box: Box) -> int:
    """Send what is due until nothing is left or the server is away; return how many it took."""
    taken = 0
    if not mail_is_set_up():
        return taken
    with transaction() as session:
        if trouble.is_paused(session):
            return taken
    with Line() as line:
        while (claimed := _claim(box)) is not None:
            row_id, ran_out = claimed
            answer = UNKNOWN if ran_out else _send(box, line, row_id)
            with transaction() as session:
                _note(session, box, row_id, answer)
            if answer is not None:
                taken += answer.outcome is Outcome.ACCEPTED
                if answer is not UNKNOWN and answer.outcome in _ENDS_THE_RUN:
                    log.warning("mail waits: %s %s", answer.code or "", answer.fault)
                    break
    return taken


_ENDS_THE_RUN = (Outcome.AWAY, Outcome.BROKEN, Outcome.DOUBT)


def _claim(box: Box) -> tuple[int, bool] | None:
    with transaction() as session:
        return claim(session, box.model, *box.where())


def _send(box: Box, line: Line, row_id: int) -> Answer | None:
    """Return what came of a row's mail; None where there is nothing to send."""
    try:
        with writing(False):  # nobody else waits while a page is rendered
            row = db.session.get(box.model, row_id)
            letter = None if row is None else box.letter(row)
            db.session.rollback()
    except Exception as error:  # a template that breaks holds up no other mail
        log.exception("mail %s/%s could not be written", box.model.__tablename__, row_id)
        return Answer(Outcome.LATER, 0, type(error).__name__)
    return None if letter is None else line.send(letter)


def _note(session: Session, box: Box, row_id: int, answer: Answer | None) -> None:
    row = session.get(box.model, row_id)
    if row is None:  # used, or erased, meanwhile
        return
    row.claimed_by = row.claimed_until = None
    if answer is None:
        row.mailing = Mailing.NONE
    else:
        if answer is not UNKNOWN:
            trouble.note(session, box.person_id(row), answer)
        _settle(box, row, answer)
    if row.mailing != Mailing.WAITING:
        box.closed(row)


def _settle(box: Box, row: Any, answer: Answer) -> None:
    """Say in the row how it goes on."""
    row.failed = _why(answer)
    if answer.outcome is Outcome.ACCEPTED:
        row.mailing = Mailing.SENT
    elif answer.outcome is Outcome.REFUSED:
        row.mailing = Mailing.FAILED
    elif answer.outcome is Outcome.DOUBT:
        row.mail_doubts += 1
        row.next_try_at = clock.now() + dt.timedelta(seconds=box.doubt_seconds)
        if row.mail_doubts > MOST_DOUBTS:
            row.mailing = Mailing.DOUBT
    elif answer.outcome in (Outcome.LATER, Outcome.BROKEN):
        row.mail_tries += 1
        wait = min(box.first_seconds * 2 ** (row.mail_tries - 1), box.most_seconds)
        row.next_try_at = clock.now() + dt.timedelta(seconds=wait)
        if row.mail_tries >= box.most_tries:
            row.mailing = Mailing.FAILED


def _why(answer: Answer) -> str:
    detail = " ".join(part for part in (str(answer.code or ""), answer.fault) if part)
    return {
        Outcome.ACCEPTED: "",
        Outcome.REFUSED: f"the address was refused ({detail})",
        Outcome.LATER: f"refused for now ({detail})",
        Outcome.AWAY: f"the mail server did not take it ({detail})",
        Outcome.BROKEN: f"the mail server broke off ({detail})",
        Outcome.DOUBT: f"it may have gone out ({detail})",
    }[answer.outcome]
