"""A person's statements removed for good, with a record that it was done.

What goes: statements in which the person is the actor or the object, those that are about such a
statement, signed ones that name the person, documents of the person, the copies in the outbox, and
files of statements that wait to be fetched. What stays: other people's statements that also name
the person, in which nobody stands in that place from then on (decision 0009).

A job does it, a hundred statements a transaction, so that nobody waits for it; killed at any point
the next worker goes on. The last transaction looks for everything once more.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select

from lms import audit, clock
from lms.db import db, transaction
from lms.errors import Conflict, Invalid, NotFound
from lms.jobs.queue import wake
from lms.people import erasing
from lms.people.models import Person
from lms.plugin import Erasable
from xapi import targets
from xapi.build import INSTALLATION, REMOVED
from xapi.delivery.embedded import AUTHORITY
from xapi.delivery.lock import only_one
from xapi.keeping import export, rows
from xapi.keeping import subject as subjects
from xapi.keeping.choice import Choice
from xapi.keeping.models import Removal, RemovalState
from xapi.keeping.replaced import is_signed, is_theirs, is_voiding, replace
from xapi.keeping.subject import Subject
from xapi.lrs import credentials
from xapi.lrs.browse import find_texts
from xapi.lrs.discard import (
    discard,
    forget_unnamed,
    list_extended,
    read_texts,
    redefine,
    rewrite,
    unlink_people,
)
from xapi.lrs.documents import of_person
from xapi.lrs.keys import find_agent_key
from xapi.lrs.models import (
    LrsActivity,
    LrsAgent,
    LrsDocument,
    LrsMention,
    LrsReference,
    LrsStatementAgent,
)
from xapi.lrs.store import last_place, lock_writers
from xapi.outbox.models import BackfillPerson, OutboxStatement

JOB = "xapi.removal"
BATCH_MOST = 100
SHOWN = 20
EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is held of somebody, and which record stores elsewhere may hold it too."""

    statements: int
    documents: int
    copies: int
    elsewhere: tuple[str, ...]

    @property
    def total(self) -> int:
        """All rows together."""
        return self.statements + self.documents + self.copies


def measure(subject: Subject) -> Extent:
    """Count what a removal would be about: statements that name them or are about such a one.

    Raises Invalid for what is nobody: this installation, and the systems that store here, stand in
    statements of everybody.
    """
    if set(subject.keys) & _nobodys():
        raise Invalid("This is no person, but a system that stores statements here.", "person")
    named = Choice(agents=subject.keys)
    return Extent(
        statements=rows.count(named, last_place().id) if subject.keys else 0,
        documents=_count(select(LrsDocument.id).where(of_person(subject.keys))),
        copies=_count(
            select(OutboxStatement.id).where(OutboxStatement.person_id == subject.person_id)
        ),
        elsewhere=tuple(str(label) for name, label in targets.labels().items() if name != EMBEDDED),
    )


def ask(subject: Subject, reason: str, by_id: int | None) -> Removal:
    """Ask for a removal; the worker does it.

    Raises Conflict where one is under way already, and Invalid where `measure` does.
    """
    extent = measure(subject)
    under_way = db.session.scalars(
        select(Removal).where(Removal.state != RemovalState.DONE.value)
    ).all()
    if any(set(one.keys) & set(subject.keys) for one in under_way):
        raise Conflict("The statements of this person are being removed already.")
    made = Removal(
        by_id=by_id,
        person_id=subject.person_id,
        keys=list(subject.keys),
        digests=[_digest(key) for key in subject.keys],
        reason=reason.strip(),
        to_do=extent.total,
    )
    db.session.add(made)
    db.session.flush()
    audit.note("xapi.removal.asked", f"removal/{made.uid}", by_id)
    wake(JOB)
    return made


def _nobodys() -> set[str]:
    """Return the keys of agents of our own: what speaks for the installation, and its credentials."""
    home_page = current_app.config["LMS_HOME_PAGE"]
    accounts = [{"homePage": home_page, "name": name} for name in (INSTALLATION, REMOVED)]
    uids = [AUTHORITY, *(one.uid for one in credentials.list_all())]
    agents = [{"account": one} for one in accounts] + [
        credentials.authority_of(one) for one in uids
    ]
    return {key for one in agents if (key := find_agent_key(dict(one))) is not None}


def erase(person_id: int, by_id: int | None) -> None:
    """Ask for the statements of somebody who is being erased; their addresses are still there."""
    person = db.session.get_one(Person, person_id)
    with suppress(Conflict):  # under way already
        ask(subjects.of_person(person), "", by_id)


def list_all() -> Sequence[Removal]:
    """Return the newest removals, the newest first."""
    return db.session.scalars(select(Removal).order_by(Removal.id.desc()).limit(SHOWN)).all()


def get(uid: str) -> Removal:
    """Return a removal; raises NotFound."""
    found = db.session.scalar(select(Removal).where(Removal.uid == uid))
    if found is None:
        raise NotFound("There is no such removal.")
    return found


def find_earlier(subject: Subject) -> Removal | None:
    """Return the last removal of somebody’s statements, or None."""
    digests = {_digest(key) for key in subject.keys}
    for removal in db.session.scalars(select(Removal).order_by(Removal.id.desc())):
        if digests & set(removal.digests):
            return removal
    return None


def work() -> None:
    """The job: do what was asked for, one after the other."""
    with only_one("removal") as ours:
        if not ours:
            return
        while (uid := _next()) is not None:
            while _step(uid):
                pass


def _next() -> str | None:
    with transaction() as session:
        return session.scalar(
            select(Removal.uid)
            .where(Removal.state != RemovalState.DONE.value)
            .order_by(Removal.id)
            .limit(1)
        )


def _step(uid: str) -> bool:
    """Do some of it in one transaction; return whether there is more.

    Each step looks for everything anew, in the order in which it could come back: the outbox feeds
    the store (`xapi.delivery.embedded` looks under the same lock whether its copy is still there).
    """
    with transaction():
        lock_writers()
        removal = get(uid)
        if removal.state == RemovalState.WAITING.value:
            removal.state = RemovalState.RUNNING.value
            # Nobody can say in which of the files the person stands.
            export.stop_all(_("Somebody’s statements were removed; this file may have held some."))
        return (
            _drop_copies(removal)
            or _drop_statements(removal)
            or _drop_documents(removal)
            or _leave_definitions(removal)
            or _end(removal)
        )


def _drop_copies(removal: Removal) -> bool:
    if removal.person_id is None:
        return False
    mine = OutboxStatement.person_id == removal.person_id
    ids = db.session.scalars(select(OutboxStatement.id).where(mine).limit(BATCH_MOST)).all()
    # What waits for a target, or was refused by one, goes with its row.
    db.session.execute(delete(OutboxStatement).where(OutboxStatement.id.in_(ids)))
    removal.copies += len(ids)
    return bool(ids)


def _drop_statements(removal: Removal) -> bool:
    agents = _agents(removal.keys)
    ids = _named(agents, removal.keys)
    if not ids:
        return False
    theirs, others = [], {}
    told = {row_id: orjson.loads(text) for row_id, text in read_texts(ids).items()}
    voided = _voided(told)
    for row_id, statement in told.items():
        # What they voided of others stays voided, and something has to say why.
        judged = voided.get(row_id, statement)
        theirs_alone = judged is not None and is_theirs(judged, removal.keys)
        if theirs_alone or is_signed(statement):
            theirs.append(row_id)
        else:
            home_page = current_app.config["LMS_HOME_PAGE"]
            others[row_id] = replace(statement, removal.keys, home_page)
    about = _about(theirs)
    if about:  # first what is about them: it is found through them
        removal.statements += discard(about)
        return True
    removal.statements += discard(theirs)
    if others:
        rewrite(others)
        removal.replaced += len(others)
    # Whatever a link was made from, it has been dealt with.
    unlink_people(agents, removal.keys, ids)
    return True


def _agents(keys: Iterable[str]) -> list[int]:
    return list(db.session.scalars(select(LrsAgent.id).where(LrsAgent.key.in_(list(keys)))))


def _voided(told: Mapping[int, Mapping[str, Any]]) -> dict[int, Mapping[str, Any] | None]:
    """Return what those that void another statement void; None where it has not come yet."""
    targets = {
        row_id: statement["object"]["id"].lower()
        for row_id, statement in told.items()
        if is_voiding(statement)
    }
    found = find_texts(list(targets.values()))
    return {
        row_id: orjson.loads(found[target]) if target in found else None
        for row_id, target in targets.items()
    }


def _activities(keys: Iterable[str]) -> list[int]:
    found = select(LrsActivity.id).where(LrsActivity.key.in_(list(keys)))
    return list(db.session.scalars(found))


def _named(agents: Sequence[int], persons: Sequence[str]) -> list[int]:
    """Return the first statements that name one of these agents or persons, by row id."""
    link = LrsStatementAgent
    found: set[int] = set()
    for person in persons:
        asked = select(LrsMention.statement).where(LrsMention.person == person)
        found |= set(db.session.scalars(asked.order_by(LrsMention.statement).limit(BATCH_MOST)))
    for agent in agents:
        for direct in (True, False):
            asked = select(link.statement).where(link.agent_id == agent, link.direct.is_(direct))
            found |= set(db.session.scalars(asked.order_by(link.statement).limit(BATCH_MOST)))
    return sorted(found)[:BATCH_MOST]


def _about(row_ids: Sequence[int]) -> list[int]:
    """Return some of the other statements that have one of these as their object."""
    return list(
        db.session.scalars(
            select(LrsReference.source)
            .distinct()
            .where(LrsReference.target.in_(row_ids), LrsReference.source.not_in(row_ids))
            .limit(BATCH_MOST)
        )
    )


def _drop_documents(removal: Removal) -> bool:
    found = db.session.execute(
        select(LrsDocument.id, LrsDocument.agent, LrsDocument.activity)
        .where(of_person(removal.keys))
        .limit(BATCH_MOST)
    ).all()
    db.session.execute(delete(LrsDocument).where(LrsDocument.id.in_([one.id for one in found])))
    removal.documents += len(found)
    # What only a document still named, however its agent was written, goes with it.
    forget_unnamed(
        _agents({one.agent for one in found}), _activities({one.activity for one in found})
    )
    return bool(found)


def _leave_definitions(removal: Removal) -> bool:
    """Take them out of what activities are defined as: it outlives the statements that said it."""
    home_page = current_app.config["LMS_HOME_PAGE"]
    for row_id, definition in list_extended():
        told = replace(definition, removal.keys, home_page)
        if told != definition:
            redefine(row_id, told)
    return False


def _end(removal: Removal) -> bool:
    """Nothing is left: forget whose it was, and say that it is done."""
    forget_unnamed(_agents(removal.keys))
    if removal.person_id is not None:
        mine = BackfillPerson.person_id == removal.person_id
        db.session.execute(delete(BackfillPerson).where(mine))
    export.stop_all(_("Somebody’s statements were removed; this file may have held some."))
    removal.keys, removal.person_id = [], None
    removal.state, removal.ended_at = RemovalState.DONE.value, clock.now()
    audit.note(
        "xapi.removal.done",
        f"removal/{removal.uid}",
        removal.by_id,
        statements=removal.statements,
        replaced=removal.replaced,
        documents=removal.documents,
        copies=removal.copies,
    )
    wake(erasing.JOB)  # empties SQLite's write-ahead log
    return False


def _digest(key: str) -> str:
    """Return a keyed hash of an agent's key: to recognise somebody by, not to find them."""
    secret = b"xapi.removal:" + current_app.config["LMS_SECRET_KEY"].encode()
    return hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()


def _count(asked: object) -> int:
    return db.session.scalar(select(func.count()).select_from(asked.subquery())) or 0  # type: ignore[attr-defined]


ERASABLE = (
    Erasable(
        "xapi.statements",
        _l("Their statements, too"),
        _l(
            "What was recorded about them goes for good, also where other systems stored it here "
            "under their mail address."
        ),
        erase,
    ),
)
