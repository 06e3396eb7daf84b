"""Credentials: the keys of systems that talk to the LRS, made, rotated and revoked.

Every change of a credential is made here and nowhere else; `xapi.lrs.callers` checks who shows one.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select

from lms import audit, clock
from lms.db import db
from lms.errors import Conflict, Invalid, NotFound
from xapi.lrs.callers import OLD_DAYS_MOST as OLD_DAYS_MOST
from xapi.lrs.callers import find_caller, hash_secret, old_is_good
from xapi.lrs.models import LrsCredential
from xapi.lrs.origins import read_origins
from xapi.lrs.scopes import (
    ALL,
    PROFILE,
    READ_ALL,
    SCOPES,
    STATE,
    STATEMENTS_OWN,
    STATEMENTS_READ,
    STATEMENTS_WRITE,
    USUAL,
    Caller,
)

__all__ = [
    "ALL", "PROFILE", "READ_ALL", "SCOPES", "STATE", "STATEMENTS_OWN", "STATEMENTS_READ",
    "STATEMENTS_WRITE", "USUAL", "Caller", "LrsCredential", "add", "allow_origins", "authority_of", "end_old", "find_caller",
    "find_made", "get_credential", "list_all", "old_works", "revoke", "rotate",
]  # fmt: skip

OLD_DAYS = 7
_UID = re.compile(r"[a-z2-9]{26}")


def is_credential(agent: Mapping[str, Any]) -> bool:
    """Tell whether this is the agent of a credential of ours: only it may name itself."""
    account = agent.get("account")
    return (
        account is not None
        and account["name"].startswith("lrs/")
        and account["homePage"] == current_app.config["LMS_HOME_PAGE"]
    )


def authority_of(uid: str) -> dict[str, object]:
    """Return the agent that stands as authority of what a credential stores."""
    return {
        "objectType": "Agent",
        "account": {"homePage": current_app.config["LMS_HOME_PAGE"], "name": f"lrs/{uid}"},
    }


def add(
    name: str,
    scopes: Sequence[str],
    actor_id: int | None = None,
    uid: str | None = None,
    version: int = 1,
    origins: Iterable[str] = (),
) -> tuple[LrsCredential, str]:
    """Make a credential; return it and its secret, which is shown this once and kept nowhere.

    uid: given where the same press of a button may come twice; see `find_made`. version: major,
    in which calls that name none are answered (1 or 2). origins: of other sites whose pages may
    use it, as people write them (`read_origins`).
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise Invalid(_("A scope is one of %(scopes)s.", scopes=", ".join(SCOPES)), "scopes")
    if not name.strip():
        raise Invalid(_("Give the credential a name that says who uses it."), "name")
    secret = secrets.token_urlsafe(32)
    made = LrsCredential(
        name=name.strip()[:120],
        key="ropes-" + secrets.token_hex(8),
        secret_hash=hash_secret(secret),
        scopes=" ".join(dict.fromkeys(scopes)),
        made_by_id=actor_id,
        version=version,
        origins=" ".join(read_origins(origins)),
    )
    if uid is not None:
        made.uid = uid
    db.session.add(made)
    db.session.flush()
    audit.note(
        "xapi.credential.made",
        f"credential/{made.uid}",
        actor_id,
        scopes=made.scopes,
        origins=made.origins,
    )
    return made, secret


def allow_origins(key: str, origins: Iterable[str], actor_id: int | None = None) -> LrsCredential:
    """Name all the origins whose pages may use a credential; none are left of those before.

    Raises NotFound, and Invalid where one cannot be an origin.
    """
    found = _get_working(key)
    found.origins = " ".join(read_origins(origins))
    db.session.flush()
    audit.note(
        "xapi.credential.origins", f"credential/{found.uid}", actor_id, origins=found.origins
    )
    return found


def find_made(uid: str) -> LrsCredential | None:
    """Return the credential that a form with this uid has made already, or None.

    Raises Invalid where it is no uid.
    """
    if not _UID.fullmatch(uid):
        raise Invalid(_("Open the form again, please."))
    return db.session.scalar(select(LrsCredential).where(LrsCredential.uid == uid))


def rotate(
    key: str, days: int = OLD_DAYS, actor_id: int | None = None
) -> tuple[LrsCredential, str]:
    """Give a credential a new secret, and let the old one work beside it for some days.

    Returns the credential and its new secret, which is shown this once. Raises Conflict while an
    older one still works: two are enough for a change without a gap, and a third would end one
    that is in use.
    """
    found = _get_working(key)
    if old_works(found):
        raise Conflict(_("The old secret still works. End it first, then make the next new one."))
    if not 0 <= days <= OLD_DAYS_MOST:
        raise Invalid(_("Between 0 and %(most)s days.", most=OLD_DAYS_MOST), "days")
    secret, now = secrets.token_urlsafe(32), clock.now()
    found.old_secret_hash = found.secret_hash if days else None
    found.old_until = now + dt.timedelta(days=days) if days else None
    found.old_used_on = None
    found.secret_hash = hash_secret(secret)
    found.rotated_at = now
    db.session.flush()
    audit.note("xapi.credential.rotated", f"credential/{found.uid}", actor_id, old_days=days)
    return found, secret


def end_old(key: str, actor_id: int | None = None) -> LrsCredential:
    """End a credential's old secret now; raises NotFound where none works any more."""
    found = _get_working(key)
    if not old_works(found):
        raise NotFound(_("No old secret works any more."))
    found.old_secret_hash = found.old_until = None
    db.session.flush()
    audit.note("xapi.credential.old_ended", f"credential/{found.uid}", actor_id)
    return found


def revoke(key: str, actor_id: int | None = None) -> LrsCredential:
    """End a credential; raises NotFound where there is none, or it is ended already."""
    found = _get_working(key)
    found.revoked_at = clock.now()
    found.old_secret_hash = found.old_until = None
    db.session.flush()
    audit.note("xapi.credential.revoked", f"credential/{found.uid}", actor_id)
    return found


def old_works(credential: LrsCredential) -> bool:
    """Whether the secret before the present one is still taken."""
    until = credential.old_until
    return credential.old_secret_hash is not None and until is not None and old_is_good(until)


def get_credential(uid: str) -> LrsCredential:
    """Return a credential by its uid; raises NotFound."""
    found = db.session.scalar(select(LrsCredential).where(LrsCredential.uid == uid))
    if found is None:
        raise NotFound(_("There is no such credential."))
    return found


def list_all() -> Sequence[LrsCredential]:
    """Return every credential, those in use first."""
    return db.session.scalars(
        select(LrsCredential).order_by(
            LrsCredential.revoked_at.is_not(None), LrsCredential.created_at, LrsCredential.id
        )
    ).all()


def _get_working(key: str) -> LrsCredential:
    """Return a credential that is in use; raises NotFound."""
    found = db.session.scalar(
        select(LrsCredential).where(LrsCredential.key == key, LrsCredential.revoked_at.is_(None))
    )
    if found is None:
        raise NotFound(_("No credential in use has this key."))
    return found
