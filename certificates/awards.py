"""Giving a certificate: once, with its evidence frozen, its statement and its notice, or not at all.

All of it is one transaction of the caller's. Whoever comes second, in another request, thread or
worker, finds the row there and does nothing more.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app
from flask_babel import to_user_timezone
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from certificates import codes
from certificates.catalogue import Offered
from certificates.documents import request_first
from certificates.freezing import bases, evidence_digest, freeze
from certificates.models import Award
from certificates.rules.compile import Standing
from certificates.standing import note_holders
from lms import audit, clock
from lms.db import db
from lms.errors import Conflict, Invalid, NotFound
from lms.evidence import Basis
from lms.notices.services import send_many
from lms.people.models import Person, new_uid
from xapi import api, build, vocabulary

EARNED = "certificates.earned"


class NoSuchAward(NotFound):
    """There is no such award, or it is none of the caller's business."""


class AlreadyRevoked(Conflict):
    """The certificate was revoked before."""


def give(certificate: Offered, standing: Standing) -> Award | None:
    """Give one person the certificate they have just met the rule of; None if they held it already."""
    return next(iter(give_all(certificate, [standing])), None)


def give_all(certificate: Offered, standings: Sequence[Standing]) -> list[Award]:
    """Give people the certificate they have just met the rule of; return the awards that are new.

    Who held it already is left out. `standings` must come from this transaction. Writes awards,
    statements, notices and the wish for printed documents, in the caller's transaction; the number
    of queries does not depend on that of the people.
    """
    if not standings:
        return []
    moment = clock.now()
    rests_on = bases(certificate.rule, standings)
    rows = [_row(certificate, one, rests_on, moment) for one in standings]
    new = _insert(rows)
    given = [row for row in rows if row["uid"] in new]
    if not given:
        return []
    _record_earned(certificate, given, moment)
    send_many(
        EARNED,
        [
            (
                row["person_id"],
                f"{EARNED}/{row['uid']}",
                {
                    "title": certificate.rule.title,
                    "language": certificate.rule.language,
                    "path": f"/certificates/awards/{row['uid']}",
                },
            )
            for row in given
        ],
    )
    request_first(new.values())
    note_holders(certificate.rule.slug, [row["person_id"] for row in given])
    return list(
        db.session.scalars(select(Award).where(Award.id.in_(new.values())).order_by(Award.id))
    )


def _row(
    certificate: Offered,
    standing: Standing,
    rests_on: Mapping[str, Mapping[int, Basis]],
    moment: dt.datetime,
) -> dict[str, Any]:
    rule = certificate.rule
    salt, code = secrets.token_hex(16), codes.new_code()
    evidence = freeze(certificate, standing, rests_on, moment, salt)
    return {
        "uid": new_uid(),
        "person_id": standing.person_id,
        "definition_id": certificate.definition_id,
        "version_id": certificate.version_id,
        "period": "",
        "code": code,
        "code_digest": codes.digest(code),
        "earned_at": moment,
        "evidence": evidence,
        "evidence_salt": salt,
        "evidence_digest": evidence_digest(salt, evidence),
        "statement_id": str(uuid.uuid4()),
        "printed": {
            "company": current_app.config["LMS_COMPANY"],
            "title": rule.title,
            "summary": rule.summary,
            "earned_on": to_user_timezone(moment).date().isoformat(),
            "proved": [
                condition.proved for condition in rule.conditions if standing.met[condition.id]
            ],
            "language": rule.language,
        },
        "revoked_why": "",
    }


def _insert(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Insert awards; return uid and id of each, but of those that people held already."""
    postgres = db.session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(Award) if postgres else sqlite.insert(Award)
    made = db.session.execute(
        insert.on_conflict_do_nothing(
            index_elements=["person_id", "definition_id", "period"]
        ).returning(Award.uid, Award.id),
        rows,
    )
    return dict(made.tuples().all())


def _record_earned(
    certificate: Offered, rows: Sequence[Mapping[str, Any]], moment: dt.datetime
) -> None:
    """Record that these awards were earned, each by the statement whose id its row has."""
    rule = certificate.rule
    people = {row["person_id"] for row in rows}
    uids = dict(
        db.session.execute(select(Person.id, Person.uid).where(Person.id.in_(people)))
        .tuples()
        .all()
    )
    earned = build.activity(
        f"certificates/{rule.slug}/v{certificate.number}",
        vocabulary.CERTIFICATE,
        rule.title,
        rule.summary or None,
        rule.language,
    )
    told = []
    for row in rows:
        statement = build.template(
            uids[row["person_id"]],
            vocabulary.EARNED,
            earned,
            category=[build.our_profile()],
            extensions={
                vocabulary.RULE_DIGEST: certificate.digest,
                vocabulary.EVIDENCE_DIGEST: row["evidence_digest"],
            },
            timestamp=moment,
        )
        statement["id"] = row["statement_id"]
        told.append((row["person_id"], statement))
    api.record_many(told)


def is_intact(award: Award) -> bool:
    """Whether the frozen evidence is what was frozen."""
    return evidence_digest(award.evidence_salt, award.evidence) == award.evidence_digest


def held_by(person_id: int) -> list[Award]:
    """Return a person's awards, newest first."""
    return list(
        db.session.scalars(
            select(Award)
            .where(Award.person_id == person_id)
            .order_by(Award.earned_at.desc(), Award.id.desc())
        )
    )


def find_held(person_id: int, definition_id: int) -> Award | None:
    """Return the newest award of one certificate to one person, or None."""
    return db.session.scalar(
        select(Award)
        .where(Award.person_id == person_id, Award.definition_id == definition_id)
        .order_by(Award.id.desc())
        .limit(1)
    )


def get_award(uid: str) -> Award:
    """Return the award with this opaque id; raises NoSuchAward."""
    award = db.session.scalar(select(Award).where(Award.uid == uid))
    if award is None:
        raise NoSuchAward("There is no such certificate.")
    return award


def find_by_code(typed: str) -> Award | None:
    """Return the award that a code belongs to, or None; both take the same work."""
    code = codes.normalise(typed)
    wanted = codes.digest(code if code is not None else typed[:200])
    return db.session.scalar(select(Award).where(Award.code_digest == wanted))


def owner_of(award_uid: str, **_others: Any) -> int | None:
    """Return whose award it is, for `lms.people.access.allow`."""
    return db.session.scalar(select(Award.person_id).where(Award.uid == award_uid))


def revoke(award: Award, why: str, actor_id: int | None) -> None:
    """Revoke a certificate for good: an error or a fraud. The reason is shown to whoever checks it.

    Raises Invalid without a reason, AlreadyRevoked the second time.
    """
    reason = " ".join(why.split())
    if not 3 <= len(reason) <= 300:
        raise Invalid("Say in a sentence why it is revoked: whoever checks it will read that.")
    if award.revoked_at is not None:
        raise AlreadyRevoked("This certificate was revoked before; the first reason stands.")
    award.revoked_at = clock.now()
    award.revoked_why = reason
    db.session.flush()
    note_holders(award.definition.slug, [award.person_id])
    audit.note("certificates.revoked", f"award/{award.uid}", actor_id, why=reason)
