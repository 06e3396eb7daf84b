"""Sessions: which answers carry them, and which of them were signed out of.

A cookie stays valid for weeks, wherever a copy of it lies, so sessions that end are noted.
Kept is what ends and until when, never who signed in, where or when: a hash of the session's own
random key, until the day on which the cookie would have run out anyhow.
"""

from __future__ import annotations

import hashlib

from flask import Flask, Request, Response, current_app, session
from flask import request as current_request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature
from sqlalchemy import delete, select

from lms import clock
from lms.db import db
from lms.people.gate import is_for_machines
from lms.people.models import EndedSession, new_uid

KEY = "lms_key"  # in the session
OLD_NAME = "ropes"  # of the cookie, where there is no HTTPS, and everywhere until 0.1


class PrivateSessions(SecureCookieSessionInterface):
    """Keeps sessions out of answers that are everybody's (`Cache-Control: public`).

    Flask renews the cookie with every answer: a cache on the way would hand it to strangers. And
    it says `Vary: Cookie`, by which a browser's copy would be worth nothing one page later.

    Where the cookie's name begins with `__Host-`, a session under the name that it had before is
    taken over, and its cookie removed. What is signed for the one name is worth nothing under the
    other: a neighbour's host cannot plant a session of today under the old name, and those of then
    run out in their time.
    """

    def __init__(self, name: str) -> None:
        self.renamed = name != OLD_NAME
        if self.renamed:
            self.salt = f"{self.salt} {name}"

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session; who shows no cookie has a new one, and no signature is checked."""
        if app.config["SESSION_COOKIE_NAME"] in request.cookies:
            return super().open_session(app, request)
        if self.renamed and OLD_NAME in request.cookies:
            return self._take_over(app, request.cookies[OLD_NAME])
        return self.session_class()

    def _take_over(self, app: Flask, cookie: str) -> SecureCookieSession:
        signed = SecureCookieSessionInterface().get_signing_serializer(app)
        assert signed is not None  # noqa: S101 - there is a secret, or the app had not started
        most = int(app.permanent_session_lifetime.total_seconds())
        try:
            session = self.session_class(signed.loads(cookie, max_age=most))
        except BadSignature:
            return self.session_class()
        session.modified = True  # so that it is written under its new name
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write the cookie, unless the answer is public or a machine's."""
        if is_for_machines() or response.cache_control.public:
            return
        super().save_session(app, session, response)
        if self.renamed and OLD_NAME in current_request.cookies:
            response.delete_cookie(OLD_NAME, secure=True, httponly=True, samesite="Lax")


def begin() -> None:
    """Give the present session a key of its own."""
    session[KEY] = new_uid()


def ended() -> bool:
    """Whether somebody signed out of the present session, in this browser or from a copy of it."""
    key = session.get(KEY)
    if key is None:
        return False
    found = select(EndedSession.key_hash).where(EndedSession.key_hash == _hash(key))
    return db.session.scalar(found) is not None


def hashed_key() -> str:
    """Return the hash of the present session's key; empty where it has none (an older Ropes)."""
    key = session.get(KEY)
    return "" if key is None else _hash(key)


def end() -> bool:
    """End the present session for good; False where it has no key (begun by an older Ropes)."""
    key = session.get(KEY)
    if key is None:
        return False
    until = clock.now() + current_app.permanent_session_lifetime
    db.session.merge(EndedSession(key_hash=_hash(key), until=until))
    return True


def sweep() -> None:
    """Forget sessions whose cookie has run out by itself."""
    db.session.execute(delete(EndedSession).where(EndedSession.until < clock.now()))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
