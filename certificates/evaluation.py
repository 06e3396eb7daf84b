"""Who has earned what: rechecks of those whose evidence changed, and a complete sweep each night.

Both look first without writing, for hundreds of people at once, and then give, in a short
transaction of its own, what the few who met a rule have earned: they are evaluated once more
inside it. A job that is killed anywhere begins again where its rows say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from flask import current_app
from flask_babel import to_user_timezone
from sqlalchemy import delete, insert, select

from certificates.awards import give
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
GIVE_STEP = 50  # people in one writing transaction
NIGHTLY = "nightly"


def note_evidence(event: EvidenceChanged) -> None:
    """Note that these people are to be evaluated: rows of our own, in the caller's transaction."""
    if not event.person_ids:
        return
    db.session.execute(
        insert(Recheck), [{"person_id": person_id} for person_id in sorted(event.person_ids)]
    )
    wake(EVALUATE)


def evaluate(person_ids: Iterable[int]) -> list[Award]:
    """Give these people what they have earned, in the present transaction; return the new awards.

    The number of queries depends on the number of certificates and of new awards, not of people.
    """
    wanted = list(person_ids)
    new: list[Award] = []
    for certificate in offered():
        for at in range(0, len(wanted), STEP):
            open_ids = _without(certificate, wanted[at : at + STEP])
            given = (give(certificate, one) for one in holders(certificate.rule, open_ids))
            new += [award for award in given if award is not None]
    return new


def _without(certificate: Offered, person_ids: Collection[int]) -> list[int]:
    """Of these people, those who are here and do not hold the certificate."""
    held = select(Award.person_id).where(
        Award.definition_id == certificate.definition_id, Award.person_id.in_(person_ids)
    )
    return list(
        db.session.scalars(
            select(Person.id).where(
                Person.id.in_(person_ids), Person.active.is_(True), Person.id.not_in(held)
            )
        )
    )


def _candidates(person_ids: Collection[int]) -> list[int]:
    """Of these people, those who meet a rule whose certificate they do not hold; reads only."""
    found: set[int] = set()
    with writing(False):
        db.session.rollback()
        for certificate in offered():
            rows = holders(certificate.rule, _without(certificate, person_ids))
            found |= {row.person_id for row in rows}
        db.session.rollback()
    return sorted(found)


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
            select(Recheck.id, Recheck.person_id).order_by(Recheck.id).limit(STEP * 4)
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


def _give_to(chosen: list[int]) -> None:
    """Evaluate those chosen once more and give, in transactions that keep nobody waiting."""
    for at in range(0, len(chosen), GIVE_STEP):
        with transaction():
            evaluate(chosen[at : at + GIVE_STEP])


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
    local = to_user_timezone(clock.now())
    if local.hour < current_app.config["LMS_CERTIFICATES_SWEEP_HOUR"]:
        return
    midnight = clock.now() - dt.timedelta(
        hours=local.hour, minutes=local.minute, seconds=local.second
    )
    with transaction() as session:
        one_at_a_time("certificates.nightly")
        asked = session.scalar(
            select(Sweep.id).where(Sweep.why == NIGHTLY, Sweep.requested_at >= midnight).limit(1)
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
