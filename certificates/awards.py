"""Giving a certificate: once, with its evidence frozen, its statement and its notice, or not at all.

All of it is one transaction of the caller's. Whoever comes second, in another request, thread or
worker, finds the row there and does nothing more.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import current_app
from flask_babel import to_user_timezone
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from certificates import codes
from certificates.catalogue import Offered
from certificates.documents import request_document
from certificates.freezing import evidence_digest, freeze
from certificates.models import Award
from certificates.rules.compile import Standing
from lms import audit, clock
from lms.db import db
from lms.errors import Conflict, Invalid, NotFound
from lms.notices.services import send
from lms.people.models import Person, new_uid
from xapi import api, build, vocabulary

EARNED = "certificates.earned"


class NoSuchAward(NotFound):
    """There is no such award, or it is none of the caller's business."""


class AlreadyRevoked(Conflict):
    """The certificate was revoked before."""


def give(certificate: Offered, standing: Standing) -> Award | None:
    """Give a person the certificate they have just met the rule of; None if they held it already.

    `standing` must come from this transaction. Writes award, statement, notice and the wish for a
    printed document, in the caller's transaction.
    """
    rule, moment = certificate.rule, clock.now()
    salt, code, uid = secrets.token_hex(16), codes.new_code(), new_uid()
    evidence = freeze(certificate, standing, moment, salt)
    proof = evidence_digest(salt, evidence)
    award_id = _insert(
        uid=uid,
        person_id=standing.person_id,
        definition_id=certificate.definition_id,
        version_id=certificate.version_id,
        period="",
        code=code,
        code_digest=codes.digest(code),
        earned_at=moment,
        evidence=evidence,
        evidence_salt=salt,
        evidence_digest=proof,
        statement_id="",
        printed={
            "company": current_app.config["LMS_COMPANY"],
            "title": rule.title,
            "summary": rule.summary,
            "earned_on": to_user_timezone(moment).date().isoformat(),
            "proved": [
                condition.proved for condition in rule.conditions if standing.met[condition.id]
            ],
            "language": rule.language,
        },
        revoked_why="",
    )
    if award_id is None:
        return None
    award = db.session.get_one(Award, award_id)
    award.statement_id = _record_earned(certificate, standing.person_id, proof)
    send(
        EARNED,
        standing.person_id,
        f"{EARNED}/{uid}",
        title=rule.title,
        language=rule.language,
        path=f"/certificates/awards/{uid}",
    )
    request_document(award)
    return award


def _insert(**values: Any) -> int | None:
    """Insert the award; None where the person holds one of this certificate and period."""
    postgres = db.session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(Award) if postgres else sqlite.insert(Award)
    return db.session.execute(
        insert.values(**values)
        .on_conflict_do_nothing(index_elements=["person_id", "definition_id", "period"])
        .returning(Award.id)
    ).scalar_one_or_none()


def _record_earned(certificate: Offered, person_id: int, proof: str) -> str:
    rule = certificate.rule
    person_uid = db.session.scalars(select(Person.uid).where(Person.id == person_id)).one()
    earned = build.statement(
        person_uid,
        vocabulary.EARNED,
        build.activity(
            f"certificates/{rule.slug}/v{certificate.number}",
            vocabulary.CERTIFICATE,
            rule.title,
            rule.summary or None,
            rule.language,
        ),
        category=[build.our_profile()],
        extensions={
            vocabulary.RULE_DIGEST: rule.digest(),
            vocabulary.EVIDENCE_DIGEST: proof,
        },
        timestamp=clock.now(),
    )
    return api.record(person_id, earned)


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
    audit.note("certificates.revoked", f"award/{award.uid}", actor_id, why=reason)
