"""What the access test fills into the addresses of xapi."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from lms.db import db
from lms.people.models import Person
from tests.contract.samples import offers
from xapi import api, build, vocabulary
from xapi.keeping import export, removal
from xapi.keeping.choice import Choice
from xapi.keeping.subject import read_subject
from xapi.lrs import credentials
from xapi.lrs.keys import find_agent_key
from xapi.lrs.store import prepare, store
from xapi.outbox import stores


@offers("xapi_lrs", "xapi", "xapi_profile")
def xapi_samples(owner: Person) -> dict[str, Any]:
    course = build.activity("courses/sample/v1", vocabulary.COURSE, "Sample")
    recorded = api.record(owner.id, build.statement(owner.uid, vocabulary.COMPLETED, course))
    stranger, file = {"name": "Aiko Mori", "mbox": "mailto:aiko@elsewhere.test"}, b"sample"
    sent = {
        "id": str(uuid.uuid4()),
        "actor": stranger,
        "verb": {"id": vocabulary.SHARED.iri},
        "object": {"id": "https://elsewhere.test/activities/sample"},
        "attachments": [
            {
                "usageType": "https://elsewhere.test/usage",
                "display": {"en": "A file"},
                "contentType": "text/plain",
                "length": len(file),
                "sha2": hashlib.sha256(file).hexdigest(),
            }
        ],
    }
    authority = credentials.authority_of("sample")
    store(prepare([sent], authority, 1), {hashlib.sha256(file).hexdigest(): file})
    made = export.ask(Choice(attachments=True), None)
    removed = removal.ask(read_subject("mailto:nobody@elsewhere.test"), "Case 7", None)
    credential, _secret = credentials.add("Simulator", credentials.USUAL, owner.id)
    credentials.rotate(credential.key)
    added = stores.add("Archive", "https://lrs.example.test/xapi/", "ropes", "sample", "1.0.3")
    db.session.commit()
    export.work()
    return {
        "credential_uid": credential.uid,
        "agent_key": find_agent_key(stranger),
        "number": 1,
        "xapi.attachment:statement_id": sent["id"],
        "export_uid": made.uid,
        "removal_uid": removed.uid,
        "part": "statements",
        "token": "eyJhZnRlciI6IjEifQ",  # a further page, after the first statement
        "target": added.name,
        "version": "v1",  # of the profile
        "statement_id": recorded,
    }
