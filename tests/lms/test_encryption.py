"""Secrets at rest: sealed once for all, readable as they always were, and nowhere in plain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import select, text, update

import esn.secrets
import xapi.sealed
from esn.connectors.credentials import write_credentials
from esn.connectors.services import rotate_secret
from lms import migrate
from lms.db import Base, db, transaction
from lms.encryption import Seal
from lms.errors import Misconfigured
from lms.jobs.queue import run_pending
from lms.people import codes, joining
from lms.people.models import SignInCode, new_uid
from tests.factories.esn import make_connector
from tests.factories.people import make_person
from tests.lms.people.test_sign_in import ME, Mailbox, mailbox, mailed
from xapi.lrs import credentials
from xapi.outbox import stores

__all__ = ["mailbox", "mailed"]  # fixtures


@pytest.mark.parametrize(
    ("unseal", "sealed"),
    [  # by the code that networks and record stores had of their own, with the key of the tests
        (
            esn.secrets.unseal,
            b"gAAAAABrCb1BuP0UXJQw3WP1y1cTyrSgkkoXG51m_qenSELmLOovzJqYcVN1FcpUMl_-5iRKXHDZU6ghJkg"
            b"LmQ1lhhSmM6br8X5-jVPcF6yxUv1rf_lzI0g=",
        ),
        (
            xapi.sealed.unseal,
            b"gAAAAABrCb1BQto95vRYx48uw8__EWhbLo8BYfkmEn9ltI64_ImBdWIV1r5JBoAqFYzHl0BXU9dvBW4hk3t"
            b"O8MzCRpDi4RzcFhgIsj_UDRpl6wEwGD1_9L0=",
        ),
    ],
)
def test_what_was_sealed_before_is_read(
    app: Flask, unseal: Callable[[bytes], str], sealed: bytes
) -> None:
    assert unseal(sealed) == "a secret of before"


def test_each_purpose_and_each_installation_has_a_key_of_its_own(app: Flask) -> None:
    one, other = Seal("one", "One is broken."), Seal("other", "Other is broken.")
    sealed = one.seal("gulls")
    assert one.unseal(sealed) == "gulls"
    assert sealed != one.seal("gulls")
    with pytest.raises(Misconfigured, match="Other is broken"):
        other.unseal(sealed)
    app.config["LMS_SECRET_KEY"] = "another-key-of-an-installation-" + "y" * 20
    with pytest.raises(Misconfigured, match="One is broken"):
        one.unseal(sealed)


def rows() -> Iterator[str]:
    """Yield every value of every table, as text."""
    for table in Base.metadata.sorted_tables:
        for row in db.session.execute(select(table)):
            for value in row:
                yield value.decode("latin-1") if isinstance(value, bytes) else str(value)


def secrets_of_every_kind() -> dict[str, str]:
    """Make one of each kind of secret that Ropes keeps; return what must stand nowhere."""
    administrator = make_person(is_administrator=True)
    connector, first = make_connector()
    second = rotate_secret(connector)
    write_credentials(connector, {"as_token": "a-token-of-the-homeserver"})
    _credential, key = credentials.add("Rise", ["all"])
    stores.add("Another", "https://lrs.example.test/xapi", "key", "their-secret-of-us", "1.0.3")
    link = joining.make_link(administrator, days=1, most_uses=1)
    codes.ask_for(administrator.identity)
    db.session.commit()
    sealed = db.session.scalars(select(SignInCode.unsent)).one()
    words = codes.open_unsent(sealed or b"")
    assert words is not None
    return {
        "secret of a network": first,
        "its next secret": second,
        "what we prove ourselves with": "a-token-of-the-homeserver",
        "secret of a credential": key,
        "secret of a record store": "their-secret-of-us",
        "address of a join link": joining.token_of(link),
        "link in a mail": words["token"],
        "code in a mail": f'"{words["code"]}"',
    }


def test_no_secret_stands_in_plain_in_the_database_or_a_file(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    app = make_app(LMS_JOBS="sqlite")
    with app.app_context():
        secrets = secrets_of_every_kind()
        kept = "\n".join(rows())
        files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert (tmp_path / "jobs.sqlite3").exists()
        for what, secret in secrets.items():
            assert secret not in kept, what
            assert secret.encode() not in files, what


@pytest.mark.network
def test_a_code_of_another_key_holds_up_no_other(mailed: Mailbox) -> None:
    codes.ask_for(make_person().identity)
    db.session.flush()
    db.session.execute(update(SignInCode).values(unsent=b"of another key"))
    codes.ask(ME)
    db.session.commit()
    run_pending()
    assert [mail["to"] for mail in mailed.mails] == [ME]


def take_back_to(revision: str) -> None:
    """Take the kernel's branch back to a revision."""

    def steps(heads: tuple[str, ...], _context: MigrationContext) -> list[Any]:
        mine = tuple(one for one in heads if one.startswith("lms_"))
        return migrate.scripts()._downgrade_revs(revision, mine)  # type: ignore[arg-type]

    db.session.remove()
    migrate._run(partial(steps))


def test_a_code_that_waits_while_ropes_is_upgraded_is_sealed_and_mailed(app: Flask) -> None:
    person = make_person()
    person_id, uid = person.id, new_uid()
    codes.ask_for(person.identity)  # forgotten on the way back
    db.session.commit()
    take_back_to("lms_0005")
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM lms_sign_in_code")) == 0
        for key, unsent in ((uid, '{"code":"123456","token":"t"}'), (new_uid(), None)):
            session.execute(
                text(
                    "INSERT INTO lms_sign_in_code (uid, person_id, code_hash, link_hash, way_back,"
                    " expires_at, tries, unsent) VALUES (:uid, :person, 'c', :uid, '',"
                    " '2099-01-01 00:00:00', 0, :unsent)"
                ),
                {"uid": key, "person": person_id, "unsent": unsent},
            )
    migrate.upgrade()
    waiting = dict(db.session.execute(select(SignInCode.uid, SignInCode.unsent)).all())
    assert codes.open_unsent(waiting.pop(uid) or b"") == {"code": "123456", "token": "t"}
    assert list(waiting.values()) == [None]
