"""Credentials: the keys of systems that talk to the LRS, and what each may do.

Nothing is remembered between requests: a secret is 256 random bits of our own, so checking it is
one indexed query and one SHA-256, and a revoked credential is refused by every process at once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import bindparam, select

from lms import audit, clock
from lms.db import db
from lms.errors import Invalid, NotFound
from xapi.lrs.models import LrsCredential

# The standard's own words for scopes (xAPI 1.0.3, Communication 4.0), those that we serve.
ALL = "all"
READ_ALL = "all/read"
STATEMENTS_WRITE = "statements/write"
STATEMENTS_READ = "statements/read"
STATEMENTS_OWN = "statements/read/mine"
STATE = "state"
PROFILE = "profile"
SCOPES = (ALL, READ_ALL, STATEMENTS_READ, STATEMENTS_OWN, STATEMENTS_WRITE, STATE, PROFILE)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is talking to the LRS; `uid` also names it as the authority of what it stores."""

    uid: str
    scopes: frozenset[str]

    @property
    def may_write(self) -> bool:
        """Whether it may store statements."""
        return bool(self.scopes & {ALL, STATEMENTS_WRITE})

    @property
    def may_read(self) -> bool:
        """Whether it may read statements at all."""
        return bool(self.scopes & {ALL, READ_ALL, STATEMENTS_READ, STATEMENTS_OWN})

    @property
    def only_own(self) -> bool:
        """Whether it reads only what it stored itself."""
        return not self.scopes & {ALL, READ_ALL, STATEMENTS_READ}

    @property
    def may_know(self) -> bool:
        """Whether it may ask what is known of an agent or activity, whoever told it."""
        return bool(self.scopes & {ALL, READ_ALL, STATEMENTS_READ, PROFILE})

    def may_keep(self, scope: str, reading: bool) -> bool:
        """Whether it may read, or change, the documents of a scope (STATE or PROFILE)."""
        return bool(self.scopes & ({ALL, scope, READ_ALL} if reading else {ALL, scope}))

    @property
    def may_void(self) -> bool:
        """Whether it may void statements: nothing less than all."""
        return ALL in self.scopes


def authority_of(uid: str) -> dict[str, object]:
    """Return the agent that stands as authority of what a credential stores."""
    return {
        "objectType": "Agent",
        "account": {"homePage": current_app.config["LMS_HOME_PAGE"], "name": f"lrs/{uid}"},
    }


def add(name: str, scopes: Sequence[str], actor_id: int | None = None) -> tuple[LrsCredential, str]:
    """Make a credential; return it and its secret, which is shown this once and kept nowhere."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise Invalid(f"A scope is one of {', '.join(SCOPES)}.")
    if not name.strip():
        raise Invalid("Give the credential a name that says who uses it.")
    secret = secrets.token_urlsafe(32)
    made = LrsCredential(
        name=name.strip()[:120],
        key="ropes-" + secrets.token_hex(8),
        secret_hash=_hash(secret),
        scopes=" ".join(dict.fromkeys(scopes)),
    )
    db.session.add(made)
    db.session.flush()
    audit.note("xapi.credential.made", f"credential/{made.uid}", actor_id, scopes=made.scopes)
    return made, secret


def revoke(key: str, actor_id: int | None = None) -> LrsCredential:
    """End a credential; raises NotFound where there is none, or it is ended already."""
    found = db.session.scalar(
        select(LrsCredential).where(LrsCredential.key == key, LrsCredential.revoked_at.is_(None))
    )
    if found is None:
        raise NotFound(
            "There is no credential with this key. `ropes lrs credential list` shows all."
        )
    found.revoked_at = clock.now()
    audit.note("xapi.credential.revoked", f"credential/{found.uid}", actor_id)
    return found


def list_all() -> Sequence[LrsCredential]:
    """Return every credential, those in use first."""
    return db.session.scalars(
        select(LrsCredential).order_by(
            LrsCredential.revoked_at.is_not(None), LrsCredential.created_at, LrsCredential.id
        )
    ).all()


_columns = LrsCredential.__table__.c
_find_by_key = select(_columns.uid, _columns.secret_hash, _columns.scopes).where(
    _columns.key == bindparam("key"), _columns.revoked_at.is_(None)
)


def find_caller(authorization: str) -> Caller | None:
    """Return who shows this Authorization header, or None where it is none of ours."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        key, colon, secret = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, UnicodeDecodeError):
        return None
    if not colon:
        return None
    found = db.session.connection().execute(_find_by_key, {"key": key}).first()
    if found is None or not hmac.compare_digest(found.secret_hash, _hash(secret)):
        return None
    return Caller(found.uid, frozenset(found.scopes.split()))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
