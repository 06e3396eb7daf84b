"""Who has earned what: rechecks of those whose evidence changed, and a complete sweep each night.

Both look first without writing, for hundreds of people at once, and then give, in a short
transaction of its own, what the few who met a rule have earned: they are evaluated once more
inside it. A job that is killed anywhere begins again where its rows say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from flask import current_app
from flask_babel import to_user_timezone
from sqlalchemy import BindParameter, bindparam, delete, insert, select

from certificates.awards import give_all
from certificates.catalogue import EVALUATE, Offered, load_library, offered
from certificates.documents import remove_of, reprint_changed
from certificates.models import Award, Recheck, Sweep
from certificates.rules.compile import holders
from lms import clock
from lms.db import db, one_at_a_time, transaction, writing
from lms.events import EvidenceChanged, PeopleChanged, PersonErased
from lms.jobs.queue import wake
from lms.people.models import Person

STEP = 500
RECHECKS = STEP * 10  # rows read at once: the same few people stand there many times
GIVE_STEP = 50  # people in one writing transaction
NIGHTLY = "nightly"
_rechecks: Any = Recheck.__table__
_RECHECK = insert(_rechecks)


def note_evidence(event: EvidenceChanged) -> None:
    """Note that these people are to be evaluated: rows of our own, in the caller's transaction."""
    if not event.person_ids:
        return
    db.session.connection().execute(
        _RECHECK, [{"person_id": person_id} for person_id in sorted(event.person_ids)]
    )
    wake(EVALUATE)


def evaluate(person_ids: Iterable[int]) -> list[Award]:
    """Give these people what they have earned, in the present transaction; return the new awards.

    The number of queries depends on the number of certificates, not on that of people or awards.
    """
    wanted = list(person_ids)
    new: list[Award] = []
    for certificate in offered():
        for at in range(0, len(wanted), STEP):
            new += _evaluate(certificate, wanted[at : at + STEP])
    return new


def _evaluate(certificate: Offered, person_ids: Collection[int]) -> list[Award]:
    return give_all(certificate, holders(certificate.rule, _without(certificate, person_ids)))


def _without(certificate: Offered, person_ids: Collection[int]) -> list[int]:
    """Of these people, those who are here and do not hold the certificate."""
    return list(
        db.session.connection().scalars(
            _WITHOUT, {"people": list(person_ids), "definition": certificate.definition_id}
        )
    )


_people: BindParameter[Any] = bindparam("people", expanding=True)
_WITHOUT = select(Person.id).where(
    Person.id.in_(_people),
    Person.active.is_(True),
    Person.id.not_in(
        select(Award.person_id).where(
            Award.definition_id == bindparam("definition"), Award.person_id.in_(_people)
        )
    ),
)


def _candidates(person_ids: Collection[int]) -> dict[int, list[int]]:
    """Of these people, those who meet a rule whose certificate they do not hold; reads only.

    Returned by the id of the certificate's definition.
    """
    found: dict[int, list[int]] = {}
    with writing(False):
        db.session.rollback()
        for certificate in offered():
            rows = holders(certificate.rule, _without(certificate, person_ids))
            found[certificate.definition_id] = [row.person_id for row in rows]
        db.session.rollback()
    return found


def run() -> None:
    """The job: rechecks first, then whatever sweep is due."""
    while _recheck_step():
        pass
    _ask_for_tonight()
    while _sweep_step():
        while _recheck_step():  # somebody waits for these
            pass


def run_library() -> None:
    """The job that publishes shipped rules that were never published here."""
    with transaction():
        load_library()


def _recheck_step() -> bool:
    """Evaluate some of those who wait; False when nobody does."""
    with writing(False):
        db.session.rollback()
        rows = db.session.execute(
            select(Recheck.id, Recheck.person_id).order_by(Recheck.id).limit(RECHECKS)
        ).all()
        db.session.rollback()
    if not rows:
        return False
    ordered = sorted({row.person_id for row in rows})
    for at in range(0, len(ordered), STEP):
        _give_to(_candidates(ordered[at : at + STEP]))
    with transaction() as session:
        # Rows of acts that came meanwhile have ids of their own, and stay.
        session.execute(delete(Recheck).where(Recheck.id.in_([row.id for row in rows])))
    return True


def _give_to(chosen: Mapping[int, Sequence[int]]) -> None:
    """Evaluate those chosen once more and give, in transactions that keep nobody waiting."""
    for definition_id, people in chosen.items():
        for at in range(0, len(people), GIVE_STEP):
            with transaction():
                for certificate in offered():  # as it is now: it may be offered no more
                    if certificate.definition_id == definition_id:
                        _evaluate(certificate, people[at : at + GIVE_STEP])


def _sweep_step() -> bool:
    """Evaluate the next people of the oldest open sweep; False when none is open."""
    with writing(False):
        db.session.rollback()
        sweep = db.session.scalar(
            select(Sweep).where(Sweep.finished_at.is_(None)).order_by(Sweep.id).limit(1)
        )
        if sweep is None:
            db.session.rollback()
            return False
        sweep_id, reached = sweep.id, sweep.reached
        people = list(
            db.session.scalars(
                select(Person.id).where(Person.id > reached).order_by(Person.id).limit(STEP)
            )
        )
        db.session.rollback()
    if people:
        _give_to(_candidates(people))
    with transaction() as session:
        now_open = session.get_one(Sweep, sweep_id)
        if people:
            now_open.reached = max(now_open.reached, people[-1])
        else:
            now_open.finished_at = clock.now()
    return True


def _ask_for_tonight() -> None:
    """Ask for the complete sweep, once a night, at the hour that is set."""
    moment = clock.now()
    local = to_user_timezone(moment)
    if local.hour < current_app.config["LMS_CERTIFICATES_SWEEP_HOUR"]:
        return
    midnight = moment - dt.timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    with transaction() as session:
        one_at_a_time("certificates.nightly")
        asked = session.scalar(
            select(Sweep.id)
            .where(Sweep.why == NIGHTLY, Sweep.requested_at.between(midnight, clock.now()))
            .limit(1)
        )
        if asked is None:
            # A row of its own, even where another sweep waits: tonight's is noted as asked for.
            session.add(Sweep(why=NIGHTLY, requested_at=clock.now()))


def note_people(event: PeopleChanged) -> None:
    """Evaluate people who came back, and print again the papers of those whose name changed."""
    note_evidence(EvidenceChanged(event.person_ids))
    reprint_changed(event.person_ids)


def note_erased(event: PersonErased) -> None:
    """Have every paper that holds an erased person's name removed; the awards stay, pseudonymous."""
    remove_of(event.person_id)
