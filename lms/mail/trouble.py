"""What stands in the way of mail, so that administrators see it: the server, or single addresses.

A line for each person whose mail is refused and one for the server; it goes when mail is taken.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from flask import current_app
from sqlalchemy import ColumnElement, ForeignKey, String, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms import clock
from lms.db import Model, UtcDateTime, db
from lms.mail.smtp import Answer, Outcome

SERVER = "server"
SHOWN_DAYS = 30  # nobody has mailed that person since: what was refused then says little
FIRST_PAUSE_SECONDS = 5
MOST_PAUSE_SECONDS = 60
TIMES_SHOWN = 3


class MailTrouble(Model):
    """The server (`key` "server"), or a person whose address it refuses ("person/<id>")."""

    __tablename__ = "lms_mail_trouble"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("lms_person.id"), index=True)
    since: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    times: Mapped[int] = mapped_column(default=1)
    code: Mapped[int] = mapped_column(default=0)  # of RFC 5321; 0: none was given
    fault: Mapped[str] = mapped_column(String(80), default="")  # the kind of error


def key_of(person_id: int) -> str:
    """Return the key of a person's line."""
    return f"person/{person_id}"


def note(session: Session, person_id: int, answer: Answer) -> None:
    """Keep what an answer says about the server and about a person's address."""
    if answer.outcome is Outcome.ACCEPTED:
        ended = delete(MailTrouble).where(MailTrouble.key.in_([SERVER, key_of(person_id)]))
        session.execute(ended)
    elif answer.outcome is Outcome.LATER and not answer.code:
        return  # it was our own template that broke
    elif answer.outcome in (Outcome.REFUSED, Outcome.LATER):
        _keep(session, key_of(person_id), person_id, answer)
        session.execute(delete(MailTrouble).where(MailTrouble.key == SERVER))  # it does answer
    else:
        _keep(session, SERVER, None, answer)


def _keep(session: Session, key: str, person_id: int | None, answer: Answer) -> None:
    moment = clock.now()
    told = {"last_at": moment, "code": answer.code, "fault": answer.fault[:80]}
    insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    line = insert(MailTrouble).values(key=key, person_id=person_id, since=moment, times=1, **told)
    session.execute(
        line.on_conflict_do_update(
            index_elements=["key"], set_={**told, "times": MailTrouble.times + 1}
        )
    )


def is_paused(session: Session) -> bool:
    """Whether the server failed so lately that it is not asked again yet; each failure waits longer.

    A failure that lies ahead was noted before the clock was set back: the server is asked.
    """
    line = session.get(MailTrouble, SERVER)
    if line is None:
        return False
    wait = min(FIRST_PAUSE_SECONDS * 2 ** min(line.times - 1, 10), MOST_PAUSE_SECONDS)
    return line.last_at <= clock.now() < line.last_at + dt.timedelta(seconds=wait)


def server_trouble() -> MailTrouble | None:
    """Return the line of the server, where it does not take mail."""
    return db.session.get(MailTrouble, SERVER)


def _refused() -> tuple[ColumnElement[bool], ...]:
    """Lines of people that are worth showing: "come again later" is what some say to every mail."""
    return (
        MailTrouble.person_id.is_not(None),
        MailTrouble.last_at > clock.now() - dt.timedelta(days=SHOWN_DAYS),
        or_(MailTrouble.code >= 500, MailTrouble.code == 0, MailTrouble.times >= TIMES_SHOWN),
    )


def refused_people(limit: int) -> tuple[int, list[int]]:
    """Return how many people's mail is refused, and the ids of the latest."""
    counted = select(func.count()).select_from(MailTrouble).where(*_refused())
    count = db.session.scalar(counted) or 0
    if not count:
        return 0, []
    ids = db.session.scalars(
        select(MailTrouble.person_id)
        .where(*_refused())
        .order_by(MailTrouble.last_at.desc())
        .limit(limit)
    )
    return count, [one for one in ids if one is not None]


def forget_trouble(person_ids: Collection[int]) -> None:
    """Drop the lines of people who are erased, or may have another address now."""
    with_trouble = set(
        db.session.scalars(select(MailTrouble.person_id).where(MailTrouble.person_id.is_not(None)))
    )
    gone = [key_of(one) for one in person_ids if one in with_trouble]
    if gone:
        db.session.execute(delete(MailTrouble).where(MailTrouble.key.in_(gone)))


def check_trouble() -> str | None:
    """For `ropes doctor`: say who or what keeps mail from going out, without any address."""
    server = server_trouble()
    if server is not None:
        why = f"{server.code or ''} {server.fault}".strip()
        return (
            f"The mail server has not taken mail since {server.since:%Y-%m-%d %H:%M} UTC "
            f"({why}; tried {server.times} times). Nothing is lost; look at LMS_MAIL_SERVER."
        )
    count, _ids = refused_people(1)
    if not count:
        return None
    codes = db.session.execute(
        select(MailTrouble.code, func.count())
        .where(*_refused())
        .group_by(MailTrouble.code)
        .order_by(MailTrouble.code)
    )
    told = ", ".join(f"{code or 'no such address'}: {number}" for code, number in codes)
    people = "one person" if count == 1 else f"{count} people"
    return (
        f"Mail to {people} is refused by the mail server ({told}). Correct the addresses under People; "
        "others get their mail."
    )


def check_mail() -> str | None:
    """For `ropes doctor`: say what is lacking."""
    if current_app.config["LMS_MAIL_SERVER"]:
        return None
    return (
        "No mail server is set: people cannot get a sign-in code, and reminders wait. "
        "Set LMS_MAIL_SERVER."
    )
