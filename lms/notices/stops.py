"""Mail that a person wants no more of: by kind, by one click in the mail, taken back on a page.

The link in a mail is signed and names its person and its kind: it can stop that kind of mail for
that person, and do nothing else. It works without signing in and does not expire (RFC 8058).
"""

from __future__ import annotations

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from lms.db import db
from lms.errors import NotFound
from lms.notices.models import NoticeStop
from lms.notices.services import kinds
from lms.people.models import Person
from lms.plugin import NoticeKind

STOP_PATH = "/mail/stop"


def stoppable() -> list[NoticeKind]:
    """Return the kinds that people may stop, in the order in which parts declare them."""
    return [kind for kind in kinds().values() if kind.label]


def stopped_kinds(person_id: int) -> frozenset[str]:
    """Return the slugs of the kinds that a person gets no mail of."""
    asked = select(NoticeStop.kind).where(NoticeStop.person_id == person_id)
    return frozenset(db.session.scalars(asked))


def is_stopped(person_id: int, kind: NoticeKind) -> bool:
    """Whether a person wants no mail of a kind; one that cannot be stopped is never stopped."""
    return bool(kind.label) and kind.slug in stopped_kinds(person_id)


def stop(person_id: int, kind: NoticeKind) -> None:
    """Send no more mail of this kind to this person; said twice it is the same."""
    insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    row = insert(NoticeStop).values(person_id=person_id, kind=kind.slug)
    db.session.execute(row.on_conflict_do_nothing())


def choose(person_id: int, wanted: frozenset[str]) -> None:
    """Mail exactly these of the kinds that can be stopped."""
    for kind in stoppable():
        if kind.slug not in wanted:
            stop(person_id, kind)
    on = NoticeStop.kind.in_(sorted(wanted))
    db.session.execute(delete(NoticeStop).where(NoticeStop.person_id == person_id, on))


def stop_url(person: Person, kind: NoticeKind) -> str:
    """Return the full address that stops this kind for this person."""
    token = _signer().dumps([person.uid, kind.slug])
    base: str = current_app.config["LMS_BASE_URL"]
    return f"{base.rstrip('/')}{STOP_PATH}/{token}"  # a worker has no request to ask for a route


def read_token(token: str) -> tuple[Person, NoticeKind]:
    """Return whom and what a link is about; raises NotFound for one that is not of ours."""
    try:
        uid, slug = _signer().loads(token)
    except (BadSignature, ValueError, TypeError):
        raise NotFound("This link is not one of ours, or a part of it is missing.") from None
    person = db.session.scalar(select(Person).where(Person.uid == uid))
    kind = kinds().get(slug)
    if person is None or kind is None or not kind.label:
        raise NotFound("There is nothing to stop any more.")
    return person, kind


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["LMS_SECRET_KEY"], salt="lms.notices.stop")
