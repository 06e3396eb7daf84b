"""Somebody's statements removed for good: all that is theirs, and nothing that is not."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import Table, event, func, select, text

from lms.audit import AuditEntry
from lms.db import db, transaction
from lms.errors import Conflict
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.factories.people import make_person
from tests.xapi.hostile.test_signed import carrying, sign
from tests.xapi.lrs import ACTIVITY, ACTOR, OTHER, Provider, attachment, multipart, statement
from xapi import api, build, vocabulary
from xapi.delivery import queue
from xapi.delivery.embedded import EmbeddedTarget
from xapi.delivery.outcome import Outcome, Verdict
from xapi.keeping import export, removal
from xapi.keeping.choice import Choice
from xapi.keeping.models import Removal
from xapi.keeping.replaced import replace
from xapi.keeping.subject import Subject, read_subject
from xapi.lrs.keys import find_agent_key
from xapi.lrs.models import LrsAgent, LrsDocument, LrsStatement, LrsStatementAgent
from xapi.lrs.validate import check_statement
from xapi.outbox.models import OutboxStatement, Parked, Pending

MAIL = "leila.haddad@example.test"
LEILA = {"mbox": f"mailto:{MAIL}", "name": "Leila Haddad"}
AS_OBJECT = {"objectType": "Agent", **LEILA}
STATE = {"activityId": ACTIVITY["id"], "stateId": "bookmark"}


@pytest.fixture
def provider(app: Flask) -> Provider:
    return Provider(app)


@pytest.fixture
def leila(app: Flask) -> Person:
    return make_person("Leila Haddad", email=MAIL)


def remove(subject: Subject) -> Removal:
    """Remove somebody's statements; return the record of it."""
    uid = removal.ask(subject, "Case 7", None).uid
    db.session.commit()
    run_pending()
    return removal.get(uid)


def record(person: Person, count: int = 1) -> list[str]:
    thing = build.activity("courses/welcome/v1", vocabulary.COURSE, "Welcome")
    made = api.record_many(
        [
            (person.id, build.template(person.uid, vocabulary.PROGRESSED, thing))
            for _ in range(count)
        ]
    )
    db.session.commit()
    return made


def texts() -> dict[str, dict[str, Any]]:
    """Return what is stored, by id."""
    found = {
        row.statement_id: orjson.loads(row.text)
        for row in db.session.execute(select(LrsStatement.statement_id, LrsStatement.text))
    }
    db.session.rollback()
    return found


def everything_held(app: Flask) -> str:
    """Return every value of every table of ours, as one text."""
    tables: list[Table] = [
        table for table in db.metadata.sorted_tables if table.name.startswith("xapi_")
    ]
    # A row as it prints itself leaves out the middle of what is long.
    found = [repr([tuple(row) for row in db.session.execute(select(table))]) for table in tables]
    db.session.rollback()
    return "\n".join(found)


def test_what_is_theirs_goes_and_what_is_others_stays(app: Flask, provider: Provider) -> None:
    theirs = {
        "did": statement(actor=LEILA),
        "suffered": statement(actor=OTHER, object=AS_OBJECT),
        "about": statement(actor=OTHER),
    }
    theirs["about"]["object"] = {"objectType": "StatementRef", "id": theirs["did"]["id"]}
    others = {
        "alone": statement(actor=OTHER),
        "led": statement(actor=OTHER, context={"instructor": LEILA}),
        "together": statement(actor={"objectType": "Group", "member": [LEILA, OTHER]}),
        "planned": statement(
            actor=OTHER,
            object={
                "objectType": "SubStatement",
                "actor": LEILA,
                "verb": {"id": "http://example.test/verbs/plans"},
                "object": ACTIVITY,
            },
        ),
        "hidden": statement(
            actor=OTHER,
            result={"extensions": {"http://example.test/ext/peers": [{"deep": LEILA}, 7, "x"]}},
        ),
    }
    others["hidden"]["context"] = {"team": {"objectType": "Group", "member": [LEILA]}}
    provider.post([*theirs.values(), *others.values()])
    before = texts()
    made = remove(read_subject(MAIL))
    after = texts()
    assert set(after) == {one["id"] for one in others.values()}
    assert after[others["alone"]["id"]] == before[others["alone"]["id"]]
    nobody = {"homePage": app.config["LMS_HOME_PAGE"], "name": "removed"}
    assert after[others["led"]["id"]]["context"]["instructor"] == {"account": nobody}
    assert after[others["together"]["id"]]["actor"]["member"] == [{"account": nobody}, OTHER]
    assert after[others["planned"]["id"]]["object"]["actor"] == {"account": nobody}
    for one in others.values():
        same = {"stored", "authority", "id", "verb", "timestamp", "version"}
        assert {name: after[one["id"]].get(name) for name in same} == {
            name: before[one["id"]].get(name) for name in same
        }
    assert "leila" not in everything_held(app).lower()
    assert (made.statements, made.replaced, made.state) == (3, 4, "done")
    agent = orjson.dumps({"account": nobody}).decode()
    assert set(provider.find(agent=agent, related_agents="true")) == {
        one["id"] for name, one in others.items() if name != "alone"
    }
    assert provider.find(agent=orjson.dumps({"mbox": LEILA["mbox"]}).decode()) == []


def test_no_trace_of_them_is_left_in_the_file(app: Flask, provider: Provider) -> None:
    """What SQLite removes it would leave in its file; here it is overwritten, in the log as well."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has VACUUM for that (docs/privacy.md)")
    provider.post(
        [
            statement(actor=LEILA, result={"response": f"I am {MAIL}, no. {number}"})
            for number in range(150)
        ]
    )
    remove(read_subject(MAIL))
    run_pending()
    db.session.remove()
    db.engine.dispose()
    folder: Path = app.config["LMS_INSTANCE"]
    for path in folder.glob("ropes.sqlite3*"):
        assert MAIL.encode() not in path.read_bytes(), path.name


def test_documents_copies_and_files_go(app: Flask, provider: Provider, leila: Person) -> None:
    for agent in ({"mbox": LEILA["mbox"]}, OTHER):
        provider.ask(
            "PUT",
            "activities/state",
            query_string={**STATE, "agent": orjson.dumps(agent).decode()},
            data=b"page 7",
            headers={"Content-Type": "text/plain"},
        )
        provider.ask(
            "PUT",
            "agents/profile",
            query_string={"profileId": "p", "agent": orjson.dumps(agent).decode()},
            data=b"likes rope",
            headers={"Content-Type": "text/plain", "If-None-Match": "*"},
        )
    other = make_person("Tomasz Lis")
    kept = record(other, 3)
    record(leila, 5)
    run_pending()
    record(leila, 2)  # not delivered yet
    uid = export.ask(Choice(), None).uid
    db.session.commit()
    export.work()
    extent = removal.measure(read_subject(MAIL))
    assert (extent.statements, extent.documents, extent.copies) == (5, 2, 7)
    asked = removal.ask(read_subject(MAIL), "", None).uid
    db.session.commit()
    removal.work()
    made = removal.get(asked)
    assert (made.statements, made.documents, made.copies, made.to_do) == (5, 2, 7, 14)
    assert db.session.scalar(select(func.count()).select_from(LrsDocument)) == 2
    assert set(texts()) == set(kept)
    assert set(db.session.scalars(select(OutboxStatement.statement_id))) == set(kept)
    assert export.get(uid).state == "stopped"
    run_pending()
    assert set(texts()) == set(kept)
    assert list(db.session.scalars(select(Pending.outbox_id))) == []


def test_a_signed_one_that_names_them_goes_whole(app: Flask, provider: Provider) -> None:
    one = statement(actor=OTHER, context={"instructor": LEILA})
    assert provider.ask("POST", **carrying(sign(one), of=one)).status_code == 200
    made = remove(read_subject(MAIL))
    assert (made.statements, made.replaced, texts()) == (1, 0, {})


def test_attachments_of_others_stay(app: Flask, provider: Provider) -> None:
    described = attachment(b"seven lines")
    one = statement(actor=OTHER, context={"instructor": LEILA}, attachments=[described])
    body, content_type = multipart(one, (described["sha2"], b"seven lines"))
    assert provider.ask("POST", data=body, content_type=content_type).status_code == 200
    remove(read_subject(MAIL))
    answer = provider.ask("GET", query_string={"statementId": one["id"], "attachments": "true"})
    assert b"seven lines" in answer.data


def test_a_long_chain_and_many(app: Flask, provider: Provider) -> None:
    """More than fit into one transaction, and more that are about one of them."""
    first = statement(actor=LEILA)
    about = [
        statement(actor=OTHER, object={"objectType": "StatementRef", "id": first["id"]})
        for _ in range(250)
    ]
    provider.post([first, *about])
    provider.post([statement(actor=LEILA) for _ in range(230)])
    kept = statement(actor=OTHER)
    provider.post([kept])
    made = remove(read_subject(MAIL))
    assert (made.statements, set(texts())) == (481, {kept["id"]})


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_point_it_is_finished_by_the_next(
    seed: int, app: Flask, provider: Provider, leila: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "BATCH_MOST", 7)
    dice = random.Random(seed)
    kept = []
    for number in range(60):
        if dice.random() < 0.5:
            provider.post([statement(actor=LEILA)])
        else:
            one = statement(actor=OTHER, context={"instructor": LEILA} if number % 3 else None)
            kept += provider.post([one])
    record(leila, 20)
    run_pending()
    subject = read_subject(MAIL)
    uid = removal.ask(subject, "", None).uid
    db.session.commit()
    killed = 0

    def kill(_connection: Any, _cursor: Any, query: str, *_: Any) -> None:
        nonlocal killed
        # PostgreSQL drops the lock of a worker that is killed; this one lives on.
        if dice.random() < 0.05 and "advisory" not in query:
            killed += 1
            raise KeyboardInterrupt

    event.listen(db.engine, "before_cursor_execute", kill)
    while True:
        try:
            removal.work()
        except KeyboardInterrupt:
            continue
        break
    event.remove(db.engine, "before_cursor_execute", kill)
    assert killed > 3
    made = removal.get(uid)
    assert made.state == "done"
    assert set(texts()) == set(kept)
    assert made.statements + made.copies == 60 - len(kept) + 40
    assert MAIL not in everything_held(app)


def test_nothing_comes_back_from_what_was_on_its_way(
    app: Flask, provider: Provider, leila: Person
) -> None:
    """The built-in target had read them from the outbox; meanwhile they were removed."""
    record(leila, 3)
    taken = queue.take("embedded")
    remove(read_subject(MAIL))
    assert EmbeddedTarget(1).send(taken).verdict is Verdict.DELIVERED
    assert texts() == {}
    queue.delivered("embedded", "", taken)


def test_what_was_on_its_way_is_not_mistaken_for_another(app: Flask, leila: Person) -> None:
    """SQLite may give a removed row's number again: what waits there is not lost, nor parked."""
    record(leila, 3)
    taken = queue.take("embedded")
    with transaction() as session:
        session.execute(text("DELETE FROM xapi_outbox"))
    other = make_person("Tomasz Lis")
    record(other, 3)
    waiting = select(func.count()).select_from(Pending)
    queue.delivered("embedded", "", taken)
    assert db.session.scalar(waiting) == 3
    queue.park("embedded", taken[0], Outcome(Verdict.REFUSED, 400, "no"))
    queue.doubt("embedded", taken[1])
    assert db.session.scalar(waiting) == 3
    assert db.session.scalar(select(func.count()).select_from(Parked)) == 0
    assert set(db.session.scalars(select(Pending.doubts))) == {0}


def test_it_is_on_record_and_says_of_whom_only_to_who_knows(
    app: Flask, provider: Provider, leila: Person
) -> None:
    provider.post([statement(actor=LEILA)])
    made = remove(read_subject(MAIL))
    assert (made.keys, made.person_id, made.reason) == ([], None, "Case 7")
    assert all(key not in made.digests for key in read_subject(MAIL).keys)
    found = removal.find_earlier(read_subject(MAIL))
    assert found is not None
    assert found.uid == made.uid
    assert removal.find_earlier(read_subject("tomasz.lis@example.test")) is None
    lines = db.session.execute(
        select(AuditEntry.act, AuditEntry.subject, AuditEntry.details).order_by(AuditEntry.id)
    ).all()[-2:]
    assert [line.act for line in lines] == ["xapi.removal.asked", "xapi.removal.done"]
    assert lines[1].details == {"statements": 1, "replaced": 0, "documents": 0, "copies": 0}


def test_it_is_asked_for_once(app: Flask, provider: Provider) -> None:
    provider.post([statement(actor=LEILA)])
    removal.ask(read_subject(MAIL), "", None)
    with pytest.raises(Conflict):
        removal.ask(read_subject(f"mailto:{MAIL}"), "", None)


def test_links_that_lead_nowhere_do_not_hold_it_up(app: Flask, provider: Provider) -> None:
    provider.post([statement(actor=LEILA)])
    agent = db.session.scalar(select(LrsAgent.id).where(LrsAgent.name == "Leila Haddad"))
    db.session.add(LrsStatementAgent(agent_id=agent, direct=True, statement=999_999))
    db.session.commit()
    assert remove(read_subject(MAIL)).state == "done"
    assert "leila" not in everything_held(app).lower()


def test_only_agents_are_replaced() -> None:
    keys = {find_agent_key(LEILA) or ""}
    odd = {"account": "x", "mbox": 7, "n": [None, True, {"account": {"name": 1}}]}
    assert replace(odd, keys, "http://x.test") == odd
    assert replace([LEILA], keys, "http://x.test") == [
        {"account": {"homePage": "http://x.test", "name": "removed"}}
    ]
    assert replace(ACTOR, keys, "http://x.test") != ACTOR


def test_a_group_with_a_name_of_its_own_is_removed_like_a_person(
    app: Flask, provider: Provider
) -> None:
    """What is left of others' statements is a statement still: a group stays one, with its members."""
    night = {"objectType": "Group", "mbox": "mailto:night@example.test", "name": "Night shift"}
    whole = {**night, "member": [ACTOR, OTHER]}
    theirs = [statement(actor=whole), statement(object=night)]
    others = [
        statement(context={"team": whole}),
        statement(context={"instructor": night}),
        statement(
            object={
                "objectType": "SubStatement",
                "actor": night,
                "verb": {"id": "http://example.test/verbs/plans"},
                "object": ACTIVITY,
            }
        ),
    ]
    provider.post([*theirs, *others])
    made = remove(read_subject("mailto:night@example.test"))
    assert (made.statements, made.replaced) == (2, 3)
    after = texts()
    assert set(after) == {one["id"] for one in others}
    for one in after.values():
        check_statement(one, 1)
    assert after[others[0]["id"]]["context"]["team"]["member"] == [ACTOR, OTHER]
    assert "night" not in everything_held(app).lower()


def test_what_is_sent_again_is_new(app: Flask, provider: Provider) -> None:
    """Nothing remembers a removed statement: the same, sent once more, is stored as any other."""
    one = statement(actor=LEILA)
    provider.post([one])
    cursor = provider.ask("GET", query_string={"limit": 1, "ascending": "true"}).json["more"]
    remove(read_subject(MAIL))
    provider.post([one, statement(actor=OTHER)])
    assert len(texts()) == 2
    assert cursor == "" or provider.ask("GET", cursor).status_code == 200
    assert remove(read_subject(MAIL)).statements == 1
