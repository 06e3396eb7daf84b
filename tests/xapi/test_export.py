"""Statements as files: all, or a part; whatever happens to the worker, in flat memory."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import resource
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from lms import clock
from lms.audit import AuditEntry
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.factories.people import make_person
from tests.xapi.lrs import ACTOR, OTHER, VERB, Provider, attachment, multipart, statement
from tests.xapi.test_delivery import record
from xapi.keeping import export, files, rows
from xapi.keeping.choice import Choice
from xapi.keeping.models import Export
from xapi.keeping.subject import read_subject
from xapi.lrs.keys import digest
from xapi.lrs.models import LrsStatement, LrsVerb

MEGABYTES = 1024  # ru_maxrss counts kilobytes


@pytest.fixture
def provider(app: Flask) -> Provider:
    return Provider(app)


@pytest.fixture
def browser(app: Flask, sign_in: Callable[[Person], FlaskClient]) -> FlaskClient:
    return sign_in(make_person("Jonas Brandt", is_administrator=True))


def stored() -> list[str]:
    return list(db.session.scalars(select(LrsStatement.text).order_by(LrsStatement.id)))


def make(choice: Choice) -> str:
    """Ask for files and have them written; return the uid."""
    uid = export.ask(choice, None).uid
    db.session.commit()
    run_pending()
    return uid


def lines(uid: str, part: str = "statements") -> list[str]:
    path = export.file_of(uid, part)
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    return content.decode().splitlines()


def ids(uid: str) -> list[str]:
    return [orjson.loads(line)["id"] for line in lines(uid)]


def test_each_line_is_a_statement_word_for_word(app: Flask, provider: Provider) -> None:
    one, two = statement(result={"response": "a\nb\u2028c"}), statement(actor=OTHER)
    void = statement(
        verb={"id": "http://adlnet.gov/expapi/verbs/voided"},
        object={"objectType": "StatementRef", "id": one["id"]},
    )
    provider.post([one, two])
    provider.post([void])
    uid = make(Choice())
    assert export.file_of(uid, "statements").read_bytes().split(b"\n")[:-1] == [
        text.encode() for text in stored()
    ]
    assert ids(make(Choice(voided=False))) == [two["id"], void["id"]]


def test_it_can_be_narrowed(app: Flask, provider: Provider) -> None:
    old = statement()
    with clock.travel(dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)):
        provider.post([old])
    moment = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    mine, others = statement(), statement(actor=OTHER, verb={"id": "http://example.test/verbs/x"})
    about = statement(actor=OTHER, object={"objectType": "StatementRef", "id": mine["id"]})
    led = statement(actor=OTHER, context={"instructor": ACTOR})
    with clock.travel(moment + dt.timedelta(days=1)):
        provider.post([mine, others, about, led])
    keys = read_subject(ACTOR["mbox"]).keys
    assert ids(make(Choice(agents=keys))) == [old["id"], mine["id"], about["id"], led["id"]]
    assert ids(make(Choice(agents=keys, since=moment))) == [mine["id"], about["id"], led["id"]]
    assert ids(make(Choice(until=moment))) == [old["id"]]
    assert ids(make(Choice(verb="http://example.test/verbs/x"))) == [others["id"]]
    assert ids(make(Choice(agents=keys, verb="http://example.test/verbs/x"))) == []
    assert ids(make(Choice(agents=read_subject("mailto:nobody@example.test").keys))) == []


def test_attachments_and_documents_have_files_of_their_own(app: Flask, provider: Provider) -> None:
    content = b"seven\r\nlines\x00"
    described = attachment(content)
    sha2 = described["sha2"]
    body, content_type = multipart(statement(attachments=[described]), (sha2, content))
    assert provider.ask("POST", data=body, content_type=content_type).status_code == 200
    provider.post([statement(actor=OTHER)])
    provider.ask(
        "PUT",
        "activities/state",
        query_string={
            "activityId": "http://example.test/activities/one",
            "agent": orjson.dumps(ACTOR).decode(),
            "stateId": "bookmark",
        },
        data=b"page 7",
        headers={"Content-Type": "text/plain"},
    )
    uid = make(Choice(attachments=True, documents=True))
    [kept] = map(orjson.loads, lines(uid, "attachments"))
    assert kept["sha2"] == sha2
    assert base64.b64decode(kept["content"]) == content
    [document] = map(orjson.loads, lines(uid, "documents"))
    assert base64.b64decode(document["content"]) == b"page 7"
    assert (document["kind"], document["id"], document["agent"]) == ("state", "bookmark", ACTOR)
    assert document["activityId"] == "http://example.test/activities/one"
    others = read_subject(f"{OTHER['account']['homePage']} {OTHER['account']['name']}").keys
    uid = make(Choice(agents=others, attachments=True, documents=True))
    assert (lines(uid, "attachments"), lines(uid, "documents")) == ([], [])


def test_a_killed_worker_leaves_no_double_and_no_gap(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(25)
    run_pending()
    monkeypatch.setattr(rows, "BATCH_MOST", 10)
    uid = export.ask(Choice(), None).uid
    db.session.commit()
    written = 0
    append = files.append

    def killed(path: Path, size: int, batch: Any) -> int:
        nonlocal written
        reached = append(path, size, batch)
        written += 1
        if written in (1, 3):
            raise KeyboardInterrupt  # the bytes are on the disk, and nothing is noted
        return reached

    monkeypatch.setattr(files, "append", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            export.work()
    export.work()
    assert lines(uid) == stored()


def test_what_comes_meanwhile_is_left_for_the_next(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = record(25)
    run_pending()
    monkeypatch.setattr(rows, "BATCH_MOST", 10)
    append = files.append

    def meanwhile(path: Path, size: int, batch: Any) -> int:
        record(3)
        return append(path, size, batch)

    monkeypatch.setattr(files, "append", meanwhile)
    uid = make(Choice())
    assert ids(uid) == before
    assert export.get(uid).done == export.get(uid).to_do == 25


def test_it_can_be_stopped(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    record(25)
    run_pending()
    monkeypatch.setattr(rows, "BATCH_MOST", 10)
    uid = export.ask(Choice(), None).uid
    db.session.commit()
    append = files.append

    def stopping(path: Path, size: int, batch: Any) -> int:
        export.stop(uid, None)
        db.session.commit()
        return append(path, size, batch)

    monkeypatch.setattr(files, "append", stopping)
    export.work()
    assert export.get(uid).state == "stopped"
    assert not (files.folder() / uid).exists()


def test_a_full_disk_is_said(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "append", full)
    uid = export.ask(Choice(), None).uid
    db.session.commit()
    export.work()
    assert (export.get(uid).state, export.get(uid).words) == ("failed", "No space left on device")


def test_a_large_one_is_compressed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    record(25)
    run_pending()
    monkeypatch.setattr(files, "LARGE", 20)
    monkeypatch.setattr(rows, "BATCH_MOST", 10)
    uid = make(Choice())
    assert export.file_of(uid, "statements").suffix == ".gz"
    assert lines(uid) == stored()


def test_after_a_week_it_is_gone(app: Flask, browser: FlaskClient) -> None:
    record(1)
    run_pending()
    uid = make(Choice())
    with clock.travel(clock.now() + dt.timedelta(days=7, seconds=1)):
        assert browser.get(f"/xapi/keeping/export/{uid}/statements").status_code == 410
        export.work()
        assert browser.get(f"/xapi/keeping/export/{uid}").status_code == 404
    assert list(files.folder().iterdir()) == []


def test_the_page_asks_shows_and_hands_over(app: Flask, browser: FlaskClient) -> None:
    assert "No statement is kept here yet" in browser.get("/xapi/keeping").text
    record(3)
    run_pending()
    assert "3 statements are kept here" in browser.get("/xapi/keeping").text
    answer = browser.post("/xapi/keeping/export", data={"voided": "y"})
    page = browser.get(answer.location)
    assert "The file is being written" in page.text
    assert 'http-equiv="refresh"' in page.text
    run_pending()
    page = browser.get(answer.location)
    assert "The file is ready" in page.text
    assert "refresh" not in page.text
    with browser.get(f"{answer.location}/statements") as file:
        assert file.data.decode().splitlines() == stored()
    assert file.headers["Content-Disposition"].startswith('attachment; filename="statements-')
    acts = list(db.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))
    assert acts[-2:] == ["xapi.export.asked", "xapi.export.taken"]
    assert browser.get(f"{answer.location}/documents").status_code == 404
    assert browser.post(f"{answer.location}/stop").status_code == 302
    assert browser.get(f"{answer.location}/statements").status_code == 404


def test_who_is_meant(app: Flask, browser: FlaskClient) -> None:
    person = make_person("Imani Okafor", email="imani@example.test")
    made = read_subject("Imani@example.test")
    assert made == read_subject(person.uid)
    assert made.person_id == person.id
    assert read_subject("http://example.test tomasz").person_id is None
    assert len(read_subject("http://leila.example.test/").keys) == 1
    assert len(read_subject('{"mbox": "mailto:leila.haddad@example.test"}').keys) == 1
    for wrong in ("nobody", '{"mbox": 7}', "{", "ftp"):
        answer = browser.post("/xapi/keeping/export", data={"person": wrong})
        assert answer.status_code == 422, wrong
        assert 'id="person-error"' in answer.text


def test_on_the_command_line(app: Flask, tmp_path: Path) -> None:
    record(5)
    run_pending()
    db.session.rollback()
    path = tmp_path / "all.jsonl.gz"
    run = app.test_cli_runner().invoke(args=["lrs", "export", "--output", str(path), "--documents"])
    assert run.exit_code == 0, run.output
    assert gzip.decompress(path.read_bytes()).decode().splitlines() == stored()
    assert (tmp_path / "all.documents.jsonl.gz").exists()
    nowhere = tmp_path / "mistyped" / "all.jsonl"
    run = app.test_cli_runner().invoke(args=["lrs", "export", "--output", str(nowhere)])
    assert "There is no folder" in str(run.exception)
    assert not nowhere.parent.exists()


@pytest.mark.long
def test_memory_is_flat(app: Flask) -> None:
    """200,000 statements, 200 MB of them, are written with less than 60 MB more than one."""
    verb = LrsVerb(key=digest(VERB["id"]), iri=VERB["id"], display={})
    db.session.add(verb)
    db.session.flush()
    moment = clock.now()
    for start in range(1, 200_001, 1000):
        texts = []
        for row_id in range(start, start + 1000):
            one = statement(result={"response": f"{row_id} " + "x" * 700})
            texts.append(
                {
                    "id": row_id,
                    "statement_id": str(uuid.uuid4()),
                    "stored": moment + dt.timedelta(microseconds=row_id),
                    "verb_id": verb.id,
                    "voiding": False,
                    "voided": False,
                    "text": orjson.dumps(one).decode(),
                }
            )
        db.session.execute(insert(LrsStatement), texts)
        db.session.commit()
    make(Choice(until=moment))  # nothing, and the paths are warm
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    uid = make(Choice())
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    made = db.session.scalar(select(Export).where(Export.uid == uid))
    assert made is not None
    assert made.done == 200_000
    assert grown < 60 * MEGABYTES
