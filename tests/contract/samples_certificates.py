"""Samples for the addresses of certificates: one award of the owner's, printed."""

from __future__ import annotations

from typing import Any

from certificates.awards import give
from certificates.catalogue import get_offered, load_library
from certificates.rules.compile import Standing
from lms.db import db
from lms.people.models import Person
from tests.contract.samples import offers


@offers("certificates", "certificates_verify", "certificates_admin")
def certificate_samples(owner: Person) -> dict[str, Any]:
    load_library()
    certificate = get_offered("connected-colleague")
    ids = [condition.id for condition in certificate.rule.conditions]
    award = give(
        certificate,
        Standing(
            owner.id,
            True,
            dict.fromkeys(ids, 1),
            dict.fromkeys(ids, True),
            dict.fromkeys(ids, True),
        ),
    )
    assert award is not None
    db.session.commit()
    return {"slug": "visible-leader", "award_uid": award.uid, "code": award.code}
