"""Flask-Security, set up for us: sessions, password hashes, passkeys.

It keeps who is signed in, hashes and checks passwords (argon2) and speaks WebAuthn. Its own pages
and blueprint stay off: ours (`lms.people.views.sign_in`) call it, so that each has an access
declaration, no page tells whether an address is known, and no mail leaves inside a request. Codes
are ours too (`lms.people.codes`): its time-based ones stay valid side by side for as long as a
mail may take, which makes each guess worth thirty. See docs/decisions/0006-sign-in.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, g, request, session
from flask_login import current_user
from flask_security import Security, SQLAlchemyUserDatastore, WebauthnUtil
from flask_security import login_user as remember_in_session
from flask_security.utils import hash_password, logout_user, verify_password
from flask_security.webauthn import WebAuthnRegisterForm
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from wtforms import HiddenField

from lms import clock
from lms.db import db
from lms.people import familiar, sessions, sign_in_log
from lms.people.gate import is_for_machines
from lms.people.models import Identity, Passkey, Person, new_uid
from lms.people.still import note_admitted
from lms.writers import outside_writing

PASSWORD_MIN_CHARS = 10
LOCAL_HOSTS = frozenset({"localhost"})
FRESH_SECONDS = 3600
SKEW_SECONDS = 60  # by which clocks of several machines may differ
# In the session: when its person proved who they are (Flask-Security's name), and how.
PROVED_AT, PROVED_HOW = "fs_paa", "lms_proved"
WITHOUT_PASSWORD = frozenset({"code", "link", "passkey", "join"})


class Datastore(SQLAlchemyUserDatastore):  # type: ignore[misc]
    """Flask-Security's door to our tables; the request commits, not the library."""

    def commit(self) -> None:
        """Leave it to the request."""


class PasskeyRules(WebauthnUtil):  # type: ignore[misc]
    """What we ask of a passkey: it knows its person by itself, and checks that it is them."""

    def authenticator_selection(self, user: Any, usage: str) -> AuthenticatorSelectionCriteria:
        """Any device, one that can be found without typing a name, unlocked by its holder."""
        return AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        )

    def user_verification(self, user: Any, usage: list[str]) -> UserVerificationRequirement:
        """Always: the passkey stands in for name and password."""
        return UserVerificationRequirement.REQUIRED


class PasskeyForm(WebAuthnRegisterForm):  # type: ignore[misc]
    """Passkeys here always stand for name and password; there is nothing to choose."""

    usage = HiddenField(default="first")


def init_security(app: Flask) -> None:
    """Set up Flask-Security over our tables, without its pages."""
    secret: str = app.config["LMS_SECRET_KEY"]
    app.config.update(
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - the name of a method
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_SALT=hashlib.sha256(b"salt" + secret.encode()).hexdigest(),
        SECURITY_PASSWORD_LENGTH_MIN=PASSWORD_MIN_CHARS,
        SECURITY_USER_IDENTITY_ATTRIBUTES=[
            {"sign_in_name": {"mapper": str, "case_insensitive": True}}
        ],
        SECURITY_WEBAUTHN=True,
        SECURITY_WAN_RP_NAME=app.config["LMS_COMPANY"],
        SECURITY_WAN_ALLOW_AS_FIRST_FACTOR=True,
        SECURITY_WAN_ALLOW_USER_HINTS=False,
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        SECURITY_FLASH_MESSAGES=False,
        SECURITY_DATETIME_FACTORY=clock.now,
        SECURITY_API_ENABLED_METHODS=["session"],
        SECURITY_FRESHNESS=dt.timedelta(seconds=FRESH_SECONDS),
        SECURITY_FRESHNESS_GRACE_PERIOD=dt.timedelta(0),
        SECURITY_CLI_USERS_NAME=None,
        SECURITY_CLI_ROLES_NAME=None,
        SESSION_PROTECTION=None,  # phones change their address all day
        PERMANENT_SESSION_LIFETIME=dt.timedelta(days=app.config["LMS_SESSION_DAYS"]),
    )
    app.session_interface = sessions.PrivateSessions(app.config["SESSION_COOKIE_NAME"])
    security = Security(
        app,
        Datastore(db, Identity, None, Passkey),
        register_blueprint=False,
        webauthn_util_cls=PasskeyRules,
        wan_register_form=PasskeyForm,
    )
    security.login_manager.request_loader(lambda _request: None)  # no tokens in addresses


def load_person() -> None:
    """Note who is asking; the row is read at every request, so a suspension holds at once."""
    g.lms_person = None
    if is_for_machines():
        return
    if "_user_id" in session and sessions.ended():
        session.clear()  # before Flask-Login looks who it is
    if "_user_id" in session and hasattr(current_user, "fs_uniquifier"):
        person: Person = current_user.person
        g.lms_person = person
        note_admitted(person, current_user.fs_uniquifier)


def enter(identity: Identity, how: str) -> None:
    """Sign in a person who has proved who they are, in a new session, which is fresh.

    Nothing of what the browser held before is kept. how: `code`, `link`, `password`, `passkey` or
    `join`.
    """
    _begin_session(identity)
    session[PROVED_HOW] = how
    known = familiar.find(identity.person_id) is not None
    familiar.remember(identity.person_id)
    sign_in_log.signed_in(identity, how, known)


def _begin_session(identity: Identity) -> None:
    session.clear()
    g.pop("csrf_token", None)
    session.permanent = True
    remember_in_session(identity, remember=False)
    sessions.begin()
    g.lms_person = identity.person


def leave_others(identity: Identity) -> None:
    """Sign a person out everywhere but here. It proves nothing: a session is as fresh as before."""
    proved = {key: session[key] for key in (PROVED_AT, PROVED_HOW) if key in session}
    end_sessions(identity)
    _begin_session(identity)
    session.pop(PROVED_AT, None)
    session.update(proved)
    familiar.forget(identity.person_id)
    familiar.remember(identity.person_id)
    sign_in_log.ended_others(identity.person)


def is_fresh() -> bool:
    """Whether this person proved who they are within the last hour: asked where ways in change."""
    age = time.time() - float(session.get(PROVED_AT, 0))
    return -SKEW_SECONDS < age < FRESH_SECONDS


def is_fresh_without_password() -> bool:
    """Whether they did so by other means than the password, which they may have forgotten."""
    return is_fresh() and session.get(PROVED_HOW) in WITHOUT_PASSWORD


def leave() -> None:
    """Sign the person of this browser out; a copy of its cookie is worth nothing from now on."""
    if hasattr(current_user, "fs_uniquifier"):
        sign_in_log.signed_out(current_user.person)
    if not sessions.end() and hasattr(current_user, "fs_uniquifier"):
        end_sessions(current_user)  # it cannot be told from their others
    logout_user()
    session.clear()


def end_sessions(identity: Identity) -> None:
    """Sign a person out everywhere: every session that names the old key is worthless."""
    identity.fs_uniquifier = new_uid()


def hashed(password: str) -> str:
    """Return the argon2 hash of a password."""
    outside_writing("hashing a password")
    found: str = hash_password(password)
    return found


def matches(password: str, kept: str | None) -> bool:
    """Whether a password fits its hash; as slow where there is none, so that time tells nothing."""
    outside_writing("checking a password")
    if kept is None:
        hash_password(password)
        return False
    found: bool = verify_password(password, kept)
    return found


def passkeys_work_here() -> bool:
    """Whether browsers allow passkeys at this address: HTTPS, or localhost by name."""
    host = urlsplit(request.host_url).hostname or ""
    if request.is_secure:
        try:
            ip_address(host)
        except ValueError:
            return True
        return False  # a passkey belongs to a name, never to a number
    return host in LOCAL_HOSTS
