"""What is done to record stores, keys and statements, as the audit log says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from lms.db import db
from lms.plugin import Subject
from xapi.lrs.models import LrsCredential
from xapi.outbox.models import Store

ACTS: Mapping[str, Any] = {
    "xapi.credential.made": _l("Credential made"),
    "xapi.credential.origins": _l("Allowed origins of a credential changed"),
    "xapi.credential.rotated": _l("New secret of a credential made"),
    "xapi.credential.old_ended": _l("Old secret of a credential ended"),
    "xapi.credential.revoked": _l("Credential revoked"),
    "xapi.store.added": _l("Record store added"),
    "xapi.store.changed": _l("Record store changed"),
    "xapi.store.paused": _l("Record store paused"),
    "xapi.store.resumed": _l("Record store resumed"),
    "xapi.store.removed": _l("Record store removed"),
    "xapi.sent_again": _l("Refused statements sent again"),
    "xapi.sent_since": _l("Sending everything since a day begun"),
    "xapi.stopped_since": _l("Sending everything since a day stopped"),
    "xapi.statements.searched": _l("Somebody’s statements looked at"),
    "xapi.export.asked": _l("File of statements asked for"),
    "xapi.export.stopped": _l("File of statements stopped"),
    "xapi.export.taken": _l("File of statements taken"),
    "xapi.removal.asked": _l("Removal of somebody’s statements asked for"),
    "xapi.removal.done": _l("Somebody’s statements removed"),
    "xapi.retention.changed": _l("How long statements are kept changed"),
}


def _credentials(uids: Sequence[str]) -> Mapping[str, str]:
    named = select(LrsCredential.uid, LrsCredential.name).where(LrsCredential.uid.in_(uids))
    return dict(db.session.execute(named).tuples().all())


def _stores(names: Sequence[str]) -> Mapping[str, str]:
    named = select(Store.name, Store.label).where(Store.name.in_(names))
    return dict(db.session.execute(named).tuples().all())


SUBJECTS = (
    Subject("credential", _l("Credential"), _credentials),
    Subject("target", _l("Record store"), _stores),
    Subject("agent", _l("Somebody of another system")),
    Subject("export", _l("File of statements")),
    Subject("removal", _l("Removal")),
    Subject("retention", _l("How long statements are kept")),
)
