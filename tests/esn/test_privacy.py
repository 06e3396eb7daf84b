"""Marked text in every field of what a network sends, and nowhere in what we keep.

The marks stand where people put things: bodies, names, attachments, addresses, agents. Ids are
marked too: they are kept as digests only.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from certificates.catalogue import load_library as load_certificates
from certificates.rendering import pdf
from courses.catalogue.services import get_course
from courses.exchange.library import load_library as load_courses
from courses.paths.enrolment import enrol_by_rule
from courses.progress.walk import take
from esn.connectors.matrix.registration import registration, settings_from
from esn.connectors.services import add_connector
from esn.connectors.webhook.signature import sign
from esn.digests import digest
from esn.ledger import normalise as normalising
from esn.ledger.groups import note_groups
from esn.models import Connector, Usage
from lms import clock
from lms.db import db
from lms.db import transaction as transaction_of_a_job
from lms.jobs.queue import queue, run_pending
from tests import databases
from tests.esn.recorded import ROOM, load, transaction
from tests.esn.residue import marks_found
from tests.factories.esn import act, make_connector
from tests.factories.people import make_person

COURSES = (
    "why-we-have-a-network",
    "ask-a-question-that-gets-an-answer",
    "work-out-loud-safely",
)
MARK = "ZEBRA-MARK-7731"
LOUD = {"User-Agent": f"{MARK}Phone/1.0 ({MARK})", "X-Forwarded-For": f"{MARK}.1.2.3"}


class Listening(logging.Handler):
    """Keeps all that is logged, tracebacks included, as it would stand in a file."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def heard() -> Iterator[Listening]:
    """Everything that any logger says, at every level."""
    listening = Listening()
    root = logging.getLogger()
    level = root.level
    root.addHandler(listening)
    root.setLevel(logging.NOTSET)
    yield listening
    root.removeHandler(listening)
    root.setLevel(level)


@pytest.fixture
def untouched(
    app: Flask, heard: Listening, capfd: pytest.CaptureFixture[str]
) -> Callable[[], None]:
    """A function that asserts that no mark is left anywhere."""

    def check() -> None:
        db.session.rollback()
        assert marks_found(MARK, Path(app.config["LMS_INSTANCE"])) == []
        assert [line for line in heard.lines if MARK.lower() in line.lower()] == []
        printed = capfd.readouterr()
        assert MARK.lower() not in (printed.out + printed.err).lower()

    return check


def marked(value: Any, path: str = "") -> Any:
    """Return a payload with an unknown, marked field added to every object in it."""
    if isinstance(value, dict):
        deeper = {key: marked(inner, f"{path}.{key}") for key, inner in value.items()}
        return {**deeper, "body": f"{MARK} {path}", f"{MARK}-key": [MARK, {"ip": f"{MARK}.0.0.1"}]}
    if isinstance(value, list):
        return [marked(inner, path) for inner in value]
    return value


def webhook_payload() -> dict[str, Any]:
    who = f"{MARK}-imani"
    acts = [
        act(who, "posted", object=f"{MARK}-post"),
        act(who, "replied", parent=f"{MARK}-post", recipient=f"{MARK}-leila"),
        act(who, "joined", group=f"{MARK} only us", group_kind="work", client="mobile"),
        {"verb": "removed", "object": f"{MARK}-slip"},
    ]
    for number, one in enumerate(acts):
        one["id"] = f"{MARK}-{number}"
    accounts = [{"id": who, "email": f"{MARK}@halden.test", "employee_number": f"{MARK}77"}]
    payload: dict[str, Any] = marked({"events": acts, "accounts": accounts})
    return payload


def send(
    client: FlaskClient, connector: Connector, secret: str, payload: Any, query: str = ""
) -> int:
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    timestamp = str(int(clock.now().timestamp()))
    headers = {
        **LOUD,
        "X-Ropes-Timestamp": timestamp,
        "X-Ropes-Signature": sign(secret, timestamp, body),
    }
    return client.post(
        f"/esn/intake/{connector.uid}{query}", data=body, headers=headers
    ).status_code


def test_the_search_finds_what_is_there(app: Flask) -> None:
    """A search that could find nothing would prove nothing."""
    folder = Path(app.config["LMS_INSTANCE"])
    make_person(f"{MARK} Somebody")
    assert marks_found(MARK, folder)
    note = folder / "note.bin"
    for written in (f"x{MARK}", f"{MARK}".encode().hex()):
        note.write_text(written)
        assert str(note) in marks_found(MARK, folder)


@pytest.mark.parametrize(
    "html",
    [
        f"<title>t</title><p>{MARK}</p>",
        f"<title>t</title><p style='width: 1mm; overflow-wrap: anywhere'>{MARK}</p>",
        f"<title>{MARK}</title><p>t</p>",
        f"<title>t</title><meta name=keywords content={MARK}><p>t</p>",
        f"<title>t</title><a href='https://example.test/{MARK}'>t</a>",
    ],
    ids=["text", "broken text", "title", "keywords", "link"],
)
def test_the_search_opens_what_is_packed_in_a_pdf(app: Flask, tmp_path: Path, html: str) -> None:
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(pdf.render(f"<html lang=en>{html}", b"x", 1))
    assert MARK.encode() not in paper.read_bytes()
    assert marks_found(MARK, tmp_path) == [str(paper)]


def test_a_certificate_earned_by_marked_acts_bears_no_mark(
    app: Flask, client: FlaskClient, untouched: Callable[[], None]
) -> None:
    """From the push to the printed paper, with its statement, notice and mail."""
    load_courses()
    with transaction_of_a_job():
        load_certificates()
    imani = make_person("Imani Okafor", email="imani@example.test", hired_on=clock.today())
    enrol_by_rule()
    for slug in COURSES:
        take(imani, get_course(slug))
    db.session.commit()
    connector, secret = make_connector()
    who = f"{MARK}-imani"
    acts = [act(who, "joined", group=f"{MARK} only us", group_kind="work", client="mobile")]
    acts += [act(who, recipient=f"{MARK}-{one}", object=f"{MARK} {one}") for one in range(3)]
    yesterday = clock.now() - dt.timedelta(days=1)
    acts[1]["at"] = yesterday.isoformat()
    accounts = [{"id": who, "email": "imani@example.test"}]
    payload = marked({"events": acts, "accounts": accounts})
    assert send(client, connector, secret, payload, f"?from={MARK}") == 202
    untouched()
    run_pending()
    folder = Path(app.config["LMS_INSTANCE"])
    [paper] = folder.rglob("*.pdf")
    assert str(paper) in marks_found("Imani Okafor", folder)  # the paper was opened and read
    if databases.KIND == "sqlite":
        assert (folder / "ropes.sqlite3-wal").stat().st_size > 0  # and so was what is not yet in it
    untouched()


def test_the_job_file_holds_no_mark(make_app: Callable[..., Flask]) -> None:
    """With the queue that runs in production, while the wake-up waits and after it was followed."""
    app = make_app(LMS_JOBS="sqlite")
    folder = Path(app.config["LMS_INSTANCE"])
    with app.app_context():
        connector, secret = make_connector()
        assert send(app.test_client(), connector, secret, webhook_payload()) == 202
        assert any("jobs.sqlite3" in one for one in marks_found("esn.normalise", folder))
        assert marks_found(MARK, folder) == []
        waiting = queue().huey
        while (task := waiting.dequeue()) is not None:
            waiting.execute(task)
        assert len(db.session.scalars(select(Usage.id)).all()) == 3
        db.session.rollback()
        assert marks_found(MARK, folder) == []


def test_webhook_leaves_no_mark(
    app: Flask, client: FlaskClient, untouched: Callable[[], None]
) -> None:
    connector, secret = make_connector()
    assert send(client, connector, secret, webhook_payload(), f"?from={MARK}") == 202
    untouched()  # while it waits
    run_pending()
    assert db.session.scalars(select(Usage.verb).order_by(Usage.id)).all()
    untouched()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda payload: orjson.dumps(payload)[:-9],
        lambda payload: orjson.dumps(payload).replace(b"posted", MARK.encode()),
        lambda payload: {**payload, "events": [{**one, "at": MARK} for one in payload["events"]]},
        lambda payload: {**payload, "events": [{**one, "client": MARK} for one in payload["events"]]},
        lambda payload: {**payload, "events": [{**one, "group_kind": MARK} for one in payload["events"]]},
        lambda payload: {**payload, "events": [{**one, "actor": [MARK]} for one in payload["events"]]},
        lambda payload: {**payload, "accounts": [{"id": MARK * 100}]},
        lambda payload: {"events": MARK},
        lambda payload: MARK.encode() + b"\xff\xfe",
    ],
)  # fmt: skip
def test_malformed_deliveries_leave_no_mark(
    client: FlaskClient, untouched: Callable[[], None], spoil: Callable[[Any], Any]
) -> None:
    connector, secret = make_connector()
    assert send(client, connector, secret, spoil(webhook_payload())) == 422
    assert send(client, connector, "forged", webhook_payload()) == 401
    run_pending()
    untouched()


@pytest.mark.parametrize("where", ["esn.intake.views.take_in", "esn.intake.views.get_kind"])
def test_a_crash_in_the_intake_leaves_no_mark(
    client: FlaskClient,
    untouched: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    def crash(*args: Any) -> None:
        raise ValueError(f"{MARK} {args}")

    connector, secret = make_connector()
    monkeypatch.setattr(where, crash)
    assert send(client, connector, secret, webhook_payload()) == 500
    untouched()


def test_a_crash_in_the_job_leaves_no_mark(
    client: FlaskClient, untouched: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_connector_id: int, acts: Any) -> None:
        raise ValueError(f"{MARK} {acts}")

    connector, secret = make_connector()
    assert send(client, connector, secret, webhook_payload()) == 202
    monkeypatch.setattr(normalising, "write_acts", crash)
    run_pending()
    untouched()
    monkeypatch.undo()
    queue().run("esn.normalise")  # and nothing was lost
    assert len(db.session.scalars(select(Usage.id)).all()) == 3
    untouched()


def test_matrix_leaves_no_mark(client: FlaskClient, untouched: Callable[[], None]) -> None:
    connector, token = add_connector(
        "matrix", "Halden Matrix", None, **settings_from("https://home.test", "halden.test")
    )
    registration(connector)
    note_groups(
        connector.id,
        [{"group": digest("group", connector.uid, ROOM), "open": True, "name": "Field notes"}],
    )
    db.session.commit()
    recorded = load("transaction.json")["events"]
    assert MARK in orjson.dumps(recorded).decode()
    other = [
        transaction("m.room.name", {"name": f"{MARK} Ann's illness"}, state_key=""),
        transaction("m.room.topic", {"topic": MARK}, state_key=""),
        transaction("m.receipt", {MARK: {"m.read": {}}}),
        transaction("m.room.message", {"body": MARK}, sender=f"@{MARK}:halden.test"),
        transaction("m.room.message", {"body": MARK}, room_id=f"!{MARK}:halden.test"),
        transaction("m.room.message", {"body": MARK, "m.mentions": {"user_ids": [MARK]}}),
        transaction(MARK, {MARK: MARK}),
    ]
    address = f"/esn/intake/{connector.uid}/_matrix/app/v1/transactions/{MARK}"
    proved = {"Authorization": f"Bearer {token}", **LOUD}
    events = [*recorded, *(marked(one) for one in other)]
    assert client.put(address, json={"events": events}, headers=proved).status_code == 200
    untouched()
    run_pending()
    assert db.session.scalars(select(Usage.verb).where(Usage.verb == "mentioned")).all()
    untouched()
    for body in (b"{" + MARK.encode(), orjson.dumps({"events": MARK})):
        assert client.put(address, data=body, headers=proved).status_code == 422
    untouched()
