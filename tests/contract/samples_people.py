"""Sample values for the addresses of people."""

from __future__ import annotations

from typing import Any

from lms import clock
from lms.db import db
from lms.people.exchange.files import keep_file
from lms.people.joining import make_link, token_of
from lms.people.models import Passkey, Person
from tests.contract.samples import offers
from tests.factories.people import make_person, make_unit


@offers("people", "security", "people_admin", "people_links", "people_files")
def people_samples(owner: Person) -> dict[str, Any]:
    """A join link that is open, a unit, a file of the viewer's."""
    link = make_link(make_person(is_administrator=True), days=1, most_uses=1)
    passkey = Passkey(
        person_id=owner.id, name="A phone", credential_id=b"a phone", public_key=b"", usage="first",
        backup_state=False, device_type="single_device", lastuse_datetime=clock.now(),
    )  # fmt: skip
    db.session.add(passkey)
    db.session.flush()
    return {
        "passkey_id": passkey.id,
        "people.join:token": token_of(link),
        "token": "nobody-sent-this",
        "link_uid": link.uid,
        "unit_uid": make_unit().uid,
        "file_uid": keep_file(b"number,name\n1,Imani Okafor\n", "people.csv", owner).uid,
    }
