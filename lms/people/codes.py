"""Codes and links by mail: either lets its person in, once, within a quarter of an hour.

Asking writes a row; the worker mails it. Somebody who types an address that is unknown here sees
exactly what a colleague sees.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import logging
import secrets
import smtplib

import orjson
from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import delete, func, or_, select, update

from lms import clock
from lms.db import db, transaction
from lms.encryption import Seal
from lms.errors import Misconfigured
from lms.jobs.queue import Job, wake
from lms.moments import is_due, is_good
from lms.people import familiar, sessions, tries
from lms.people.mail import mail_is_set_up, send_mail
from lms.people.models import Identity, Person, SignInCode, new_uid

log = logging.getLogger(__name__)

JOB = "people.codes"
VALID_MINUTES = 15
VALID = dt.timedelta(minutes=VALID_MINUTES)
TRIES = 5
BATCH = 50

_seal = Seal(
    "people.codes",
    "A sign-in code that waits to be mailed cannot be read: LMS_SECRET_KEY has changed since.",
)


def find_identity(typed: str) -> Identity | None:
    """Return whoever signs in with this address, sign-in name or employee number, or None."""
    wanted = typed.strip().lower()
    if not wanted:
        return None
    if "@" in wanted:
        matching = func.lower(Identity.email) == wanted
    else:
        matching = or_(Identity.sign_in_name == wanted, Identity.employee_number == typed.strip())
    found = db.session.scalars(select(Identity).where(matching).limit(2)).unique().all()
    return found[0] if len(found) == 1 and found[0].active else None


def ask(typed: str, way_back: str = "") -> str:
    """Have a code and a link mailed to whoever is named so; see `ask_for`."""
    return ask_for(find_identity(typed), way_back)


def ask_for(identity: Identity | None, way_back: str = "") -> str:
    """Have a code and a link mailed; return what the browser keeps to enter the code.

    The answer looks the same for people who are not here (None), or have no mailbox.
    """
    uid = new_uid()
    if identity is None or not identity.email:
        return uid
    code = f"{secrets.randbelow(10**6):06}"
    token = secrets.token_urlsafe(24)
    db.session.add(
        SignInCode(
            uid=uid,
            person_id=identity.person_id,
            code_hash=_code_hash(uid, code),
            link_hash=_link_hash(token),
            way_back=way_back,
            expires_at=clock.now() + dt.timedelta(minutes=VALID_MINUTES),
            unsent=seal_unsent(code, token),
        )
    )
    wake(JOB)
    return uid


def seal_unsent(code: str, token: str) -> bytes:
    """Return what the mail has to say, sealed for as long as it waits."""
    return _seal.seal(orjson.dumps({"code": code, "token": token}).decode())


def open_unsent(unsent: bytes) -> dict[str, str] | None:
    """Return `code` and `token` of a mail that waits; None if LMS_SECRET_KEY has changed since.

    With another key neither of them would let anybody in.
    """
    try:
        words: dict[str, str] = orjson.loads(_seal.unseal(unsent))
    except Misconfigured:
        return None
    return words


def find_person(uid: str) -> Person | None:
    """Return whom the code that this browser waits for would let in, or None."""
    return db.session.scalar(
        select(Person)
        .join(SignInCode, SignInCode.person_id == Person.id)
        .where(SignInCode.uid == uid)
    )


def redeem_code(uid: str, code: str) -> tuple[Identity, str] | None:
    """Return whom the code lets in and the way back, or None; it works once.

    After five wrong codes a right one is refused as well. Each try is counted, whatever happens.
    """
    tried = db.session.execute(
        update(SignInCode)
        .where(
            SignInCode.uid == uid, is_good(SignInCode.expires_at, VALID), SignInCode.tries < TRIES
        )
        .values(tries=SignInCode.tries + 1)
        .returning(SignInCode.id, SignInCode.code_hash)
    ).one_or_none()
    digits = "".join(char for char in code if char.isdigit())
    if tried is None or not hmac.compare_digest(tried.code_hash, _code_hash(uid, digits)):
        return None
    return _use(tried.id)


def find_link(token: str) -> SignInCode | None:
    """Return the row of a link that is still good, or None."""
    return db.session.scalar(
        select(SignInCode).where(
            SignInCode.link_hash == _link_hash(token), is_good(SignInCode.expires_at, VALID)
        )
    )


def redeem_link(token: str) -> tuple[Identity, str] | None:
    """Return whom the link lets in and the way back, or None; it works once."""
    row = find_link(token)
    return None if row is None else _use(row.id)


def _use(row_id: int) -> tuple[Identity, str] | None:
    used = db.session.execute(
        delete(SignInCode)
        .where(SignInCode.id == row_id)
        .returning(SignInCode.person_id, SignInCode.way_back)
    ).one_or_none()
    if used is None:
        return None
    identity = db.session.get(Identity, used.person_id)
    if identity is None or not identity.active:
        return None
    db.session.execute(delete(SignInCode).where(SignInCode.person_id == used.person_id))
    return identity, used.way_back


def _code_hash(uid: str, code: str) -> str:
    secret: str = current_app.config["LMS_SECRET_KEY"]
    return hmac.new(secret.encode(), f"code\0{uid}\0{code}".encode(), hashlib.sha256).hexdigest()


def _link_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def send_waiting() -> None:
    """The worker's part: mail what was asked for, and sweep out what is over."""
    with transaction() as session:
        session.execute(delete(SignInCode).where(is_due(SignInCode.expires_at, VALID)))
        tries.sweep()
        sessions.sweep()
        familiar.sweep()
    if not mail_is_set_up():
        return
    while True:
        with transaction() as session:
            waiting = session.execute(
                select(
                    SignInCode.id, SignInCode.unsent, Identity.email, Identity.given_name,
                    Person.language,
                )
                .join(Identity, Identity.person_id == SignInCode.person_id)
                .join(Person, Person.id == SignInCode.person_id)
                .where(SignInCode.unsent.is_not(None), is_good(SignInCode.expires_at, VALID))
                .order_by(SignInCode.id)
                .limit(BATCH)
            ).all()  # fmt: skip
        if not waiting:
            return
        for row in waiting:
            if (words := open_unsent(row.unsent)) is not None:
                _mail(words, row.email, row.given_name, row.language)
            with transaction() as session:
                session.execute(
                    update(SignInCode).where(SignInCode.id == row.id).values(unsent=None)
                )


def _mail(unsent: dict[str, str], email: str, given_name: str, language: str) -> None:
    """Send one mail; the row goes on waiting where the server does not take it."""
    base: str = current_app.config["LMS_BASE_URL"]
    code = unsent["code"]
    with force_locale(language or current_app.config["LMS_LANGUAGE"]):
        send_mail(
            email,
            str(_("Your code: %(code)s", code=f"{code[:3]} {code[3:]}")),
            render_template(
                "people/mail/code.txt",
                code=f"{code[:3]} {code[3:]}",
                link=f"{base}/sign-in/by-link/{unsent['token']}",
                given_name=given_name,
                company=current_app.config["LMS_COMPANY"],
                minutes=VALID_MINUTES,
            ),
        )


def send_job() -> None:
    """Run `send_waiting`; a mail server that does not answer is tried again at the next sweep."""
    try:
        send_waiting()
    except (OSError, smtplib.SMTPException) as error:
        log.warning("sign-in mail waits: %s", type(error).__name__)


job = Job(JOB, send_job, every_seconds=20.0)
