"""Sending notices: a durable row in the caller's transaction; a job sends the mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lms import clock
from lms.db import db
from lms.jobs.queue import wake
from lms.notices.models import Notice
from lms.plugin import NoticeKind, Plugin

MAIL_JOB = "notices.mail"
ROWS_AT_ONCE = 100
SHOWN = 50
_keys: Any = Notice.__table__.c.key
_SENT = select(_keys).where(_keys.in_(bindparam("keys", expanding=True)))


def kinds() -> dict[str, NoticeKind]:
    """Return the kinds of notice that the enabled parts declare, by slug."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    return {kind.slug: kind for part in parts for kind in part.notice_kinds}


def send(kind: str, person_id: int, key: str, **data: Any) -> bool:
    """Send a notice of a declared kind, once for each `key`, however often it is asked.

    data: what subject and templates name; JSON values, no names of other people (a person is named
    by `<anything>_person_id`, and the templates get the name as `<anything>`). `path` is where the
    notice leads. Returns whether it was new. Raises KeyError for a kind that nobody declares.
    """
    return send_many(kind, [(person_id, key, data)]) == 1


def send_many(
    kind: str,
    rows: Iterable[tuple[int, str, dict[str, Any]]],
    addresses: Mapping[int, str] | None = None,
) -> int:
    """Send to many: rows of (person id, key, data); return how many were new.

    addresses: where to mail it, by person, instead of the address that the person has; such a
    notice stands on no page.
    """
    if kind not in kinds():
        raise KeyError(f"no part declares notices of the kind {kind}")
    moment = clock.now()
    values = [
        {
            "key": key,
            "person_id": person_id,
            "kind": kind,
            "data": data,
            "address": (addresses or {}).get(person_id),
            "created_at": moment,
            "next_try_at": moment,
        }
        for person_id, key, data in rows
    ]
    insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    new = 0
    for start in range(0, len(values), ROWS_AT_ONCE):
        statement = insert(Notice).on_conflict_do_nothing(index_elements=["key"])
        added = db.session.execute(
            statement.values(values[start : start + ROWS_AT_ONCE]).returning(Notice.id)
        )
        new += len(added.all())
    if new:
        wake(MAIL_JOB)
    return new


def sent_keys(keys: Sequence[str]) -> frozenset[str]:
    """Return which of these keys have been used already, in one query."""
    if not keys:
        return frozenset()
    return frozenset(db.session.connection().scalars(_SENT, {"keys": list(keys)}))


def newest(person_id: int, limit: int = SHOWN, *, unread: bool = False) -> list[Notice]:
    """Return a person's newest notices, the newest first; those of kinds that are on."""
    asked = select(Notice).where(
        Notice.person_id == person_id, Notice.kind.in_(list(kinds())), Notice.address.is_(None)
    )
    if unread:
        asked = asked.where(Notice.read_at.is_(None))
    return list(db.session.scalars(asked.order_by(Notice.created_at.desc()).limit(limit)))


def mark_read(person_id: int) -> None:
    """Note that a person has seen all there is."""
    db.session.execute(
        update(Notice)
        .where(Notice.person_id == person_id, Notice.read_at.is_(None))
        .values(read_at=clock.now())
    )
