"""Bodies and attachments (xAPI 1.0.3, Communication 1.4 and 1.5)."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import func, select

from lms.db import db
from tests.xapi.lrs import Provider, attachment, multipart, statement
from xapi.lrs.models import LrsStatement


def stored_count() -> int:
    return db.session.scalar(select(func.count()).select_from(LrsStatement)) or 0


def test_attachments_in_and_out(lrs: Provider) -> None:
    content = b"line\r\n\r\n--edgy\r\n\x00\xff"
    described = attachment(content)
    sent = [statement(attachments=[described]), statement(attachments=[described])]
    body, content_type = multipart(sent, (described["sha2"], content))
    assert lrs.ask("POST", data=body, content_type=content_type).status_code == 200
    answer = lrs.ask("GET", query_string={"attachments": "true"})
    assert answer.content_type.startswith("multipart/mixed")
    assert answer.data.count(content) == 1
    plain = lrs.ask("GET", query_string={"attachments": "false"})
    assert plain.content_type == "application/json"


def test_attachments_that_do_not_belong(lrs: Provider) -> None:
    described = attachment(b"one")
    lrs.post(statement(attachments=[described]), status=400)
    lrs.post(statement(attachments=[{**described, "fileUrl": "http://example.test/one"}]))
    for body, content_type in (
        multipart(statement(), (described["sha2"], b"one")),
        multipart(statement(attachments=[described]), (described["sha2"], b"two")),
        (multipart(statement())[0].replace(b"--edge--", b""), "multipart/mixed; boundary=edge"),
        (b"", "multipart/mixed"),
    ):
        answer = lrs.ask("POST", data=body, content_type=content_type)
        assert answer.status_code == 400, body
    assert stored_count() == 1


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"1", b'"x"', b"[1]", b'{"a":NaN}', b"\xff"])
def test_bodies_that_are_no_statements(lrs: Provider, body: bytes) -> None:
    answer = lrs.ask("POST", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert lrs.ask("POST", data=body, content_type="text/plain").status_code == 400


def test_every_sha_2_is_checked(lrs: Provider) -> None:
    """Data 2.4.11: SHA-224, 256, 384 and 512, told apart by their length."""
    for name in ("sha224", "sha256", "sha384", "sha512"):
        for said, status in ((b"one", 200), (b"another", 400)):
            sha2 = hashlib.new(name, said).hexdigest()
            one = statement(attachments=[attachment(b"one", sha2=sha2)])
            body, content_type = multipart(one, (sha2, b"one"))
            answer = lrs.ask("POST", data=body, content_type=content_type)
            assert answer.status_code == status, (name, answer.text)
