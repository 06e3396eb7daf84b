"""Who calls: a secret is checked once, and what came of it is remembered as long as its row stays.

Each request reads the credential's row in the transaction that it needs anyway: by one indexed
query, past SQLAlchemy, which took ten times as long for it as the database does. While the row is,
to the letter, the one that the secret was checked against, that check is not done again. Whatever
changes it (a new secret, an old one ended, other scopes, the credential revoked) is seen by the
next request of every process, and nobody has to be told.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from flask import current_app, g
from sqlalchemy.engine import Connection

from lms.moments import still_good
from xapi.lrs import sql, uses
from xapi.lrs.errors import Unauthorized
from xapi.lrs.models import LrsCredential
from xapi.lrs.scopes import Caller

OLD_DAYS_MOST = 90  # that an old secret may work beside a new one
KEY_MOST = 64  # characters
REMEMBERED_MOST = 1_000  # secrets
_NOBODY = "0" * 64  # in place of the hash of a key that there is not
_FIND = (
    "SELECT uid, secret_hash, scopes, version, origins, old_secret_hash, old_until "
    "FROM xapi_credential "
    "WHERE key = {one} AND revoked_at IS NULL"
)
_OLD_UNTIL = sql.table_of(LrsCredential).c.old_until

Row = tuple[str, str, str, int, str, str | None, Any]


@dataclass(frozen=True, slots=True)
class _Checked:
    """A secret that was right: its key, the row it was right for, until when if it is the old one."""

    key: str
    row: Row
    caller: Caller
    secret_hash: str
    until: dt.datetime | None


def find_caller(authorization: str) -> Caller | None:
    """Return who shows this Authorization header, or None where it is none of ours."""
    remembered: dict[bytes, _Checked]
    remembered = current_app.extensions.setdefault("xapi.callers", {})
    mark = hashlib.sha256(authorization.encode()).digest()  # no secret lies about in memory
    before = remembered.get(mark)
    here = sql.Here()
    if before is None:
        shown = _read(authorization)
        if shown is None:
            return None
        key, secret_hash = shown
    else:
        key, secret_hash = before.key, before.secret_hash
    row: Row | None = here.execute(_FIND, key).fetchone()
    if before is None or row != before.row or not _works(before.until):
        remembered.pop(mark, None)
        before = _check(here, key, secret_hash, row)
        if before is None:
            return None
        if len(remembered) >= REMEMBERED_MOST:
            remembered.clear()
        remembered[mark] = before
    uses.saw(before.caller.uid, secret_hash)
    g.xapi_proved = before
    return before.caller


def refuse_revoked(_connection: Connection) -> None:
    """Raise Unauthorized where the proof of this request would not be one any more.

    It is asked again when the request begins to write: reading what was sent took its time.
    """
    proved: _Checked | None = g.get("xapi_proved")
    if proved is None:
        return
    row = sql.Here().execute(_FIND, proved.key).fetchone()
    if row != proved.row or not _works(proved.until):
        raise Unauthorized("This needs a key and secret that are known here (HTTP Basic).")


def _read(authorization: str) -> tuple[str, str] | None:
    """Return the key that is shown, and the hash of the secret; None where it is no such thing."""
    scheme, _blank, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        key, colon, secret = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except ValueError:  # no base64, no ASCII, no UTF-8
        return None
    if not colon or len(key) > KEY_MOST or not key.isprintable():  # a NUL cannot even be asked for
        return None
    return key, hash_secret(secret)


def _check(here: sql.Here, key: str, secret_hash: str, row: Row | None) -> _Checked | None:
    if row is None:
        hmac.compare_digest(_NOBODY, secret_hash)  # an unknown key costs what a wrong secret does
        return None
    uid, present, scopes, version, origins, old, old_until = row
    until = None
    if not hmac.compare_digest(present, secret_hash):
        until = None if old_until is None else here.from_driver(_OLD_UNTIL)(old_until)
        if old is None or until is None:
            return None
        if not hmac.compare_digest(old, secret_hash) or not _works(until):
            return None
    caller = Caller(uid, frozenset(scopes.split()), version, frozenset(origins.split()))
    return _Checked(key, row, caller, secret_hash, until)


def _works(until: dt.datetime | None) -> bool:
    return until is None or old_is_good(until)


def old_is_good(until: dt.datetime) -> bool:
    """Whether a secret that was to be taken until then is taken still."""
    return still_good(until, dt.timedelta(days=OLD_DAYS_MOST))


def hash_secret(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
