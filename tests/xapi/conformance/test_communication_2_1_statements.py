"""The statement resource: storing and finding (xAPI 1.0.3, Communication 2.1)."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from typing import Any

from flask import Flask
from sqlalchemy import func, select, text

from lms import clock
from lms.db import db, writing
from tests.xapi.lrs import ACTIVITY, ACTOR, OTHER, VERB, Provider, statement
from xapi.lrs.models import LrsStatement, LrsStatementAgent
from xapi.lrs.store import WRITERS_LOCK

VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}


def ref(one: dict[str, Any] | str) -> dict[str, str]:
    return {"objectType": "StatementRef", "id": one if isinstance(one, str) else one["id"]}


def stored_count() -> int:
    return db.session.scalar(select(func.count()).select_from(LrsStatement)) or 0


def test_what_is_stored_comes_back(lrs: Provider) -> None:
    sent = statement(
        result={"score": {"scaled": 0.5}, "duration": "PT1.50S"},
        context={"contextActivities": {"parent": ACTIVITY}},
    )
    assert lrs.post(sent) == [sent["id"]]
    answer = lrs.ask("GET", query_string={"statementId": sent["id"]})
    got = answer.json
    assert got["result"] == sent["result"]
    assert got["context"]["contextActivities"]["parent"] == [ACTIVITY]
    assert got["stored"] == got["timestamp"]
    assert got["authority"]["objectType"] == "Agent"
    assert got["version"] == "1.0.0"
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"
    assert answer.headers["X-Experience-API-Consistent-Through"] >= got["stored"]
    assert answer.headers["Last-Modified"].endswith("GMT")
    assert len(answer.headers.getlist("Date")) <= 1


def test_put_and_the_id_it_names(lrs: Provider) -> None:
    sent = statement(id=None)
    wanted = str(uuid.uuid4())
    answer = lrs.ask("PUT", query_string={"statementId": wanted}, json=sent)
    assert answer.status_code == 204
    assert answer.data == b""
    assert lrs.find() == [wanted]
    other = lrs.ask("PUT", query_string={"statementId": str(uuid.uuid4())}, json=statement())
    assert other.status_code == 400
    assert lrs.ask("PUT", json=statement()).status_code == 400


def test_the_same_again_changes_nothing_and_another_is_a_conflict(lrs: Provider) -> None:
    sent = statement(timestamp="2026-11-23T10:00:00+02:00")
    lrs.post(sent)
    before = lrs.find_statements()
    again = {**sent, "verb": {"id": VERB["id"]}, "timestamp": "2026-11-23T08:00:00.000Z"}
    assert lrs.post(again) == [sent["id"]]
    answer = lrs.ask("PUT", query_string={"statementId": sent["id"]}, json=again)
    assert answer.status_code == 204
    for other in (
        {**sent, "actor": OTHER},
        {**sent, "timestamp": "2026-11-23T10:00:01+02:00"},
        {**sent, "result": {"success": True}},
    ):
        lrs.post(other, status=409)
        answer = lrs.ask("PUT", query_string={"statementId": sent["id"]}, json=other)
        assert answer.status_code == 409
    assert lrs.find_statements() == before


def test_a_batch_is_stored_whole_or_not_at_all(lrs: Provider) -> None:
    sent = [statement() for _ in range(4)]
    wrong = [*sent[:3], statement(result={"score": {"scaled": 2}})]
    answer = lrs.ask("POST", json=wrong)
    assert answer.status_code == 400
    assert "[3].result.score.scaled" in answer.json["error"]
    assert stored_count() == 0
    lrs.post([*sent, sent[0]], status=400)
    assert stored_count() == 0
    assert lrs.post(sent) == [one["id"] for one in sent]
    clash = [statement(), {**sent[1], "actor": OTHER}, statement()]
    lrs.post(clash, status=409)
    assert stored_count() == 4
    assert lrs.post([sent[0], statement()]) is not None
    assert stored_count() == 5
    assert lrs.post([]) == []


def test_pages_follow_each_other_without_gap_or_double(lrs: Provider) -> None:
    sent = [statement() for _ in range(23)]
    lrs.post(sent)
    ids = [one["id"] for one in sent]
    assert lrs.find(limit=5, ascending="true") == ids
    first = lrs.ask("GET", query_string={"limit": 5})
    assert first.json["more"].startswith("/xapi/statements/more/")
    lrs.post(statement())  # comes in while somebody reads on
    seen = [one["id"] for one in first.json["statements"]]
    answer = lrs.ask("GET", first.json["more"])
    while True:
        seen += [one["id"] for one in answer.json["statements"]]
        if not answer.json["more"]:
            break
        answer = lrs.ask("GET", answer.json["more"])
    assert seen == ids[::-1]
    for made_up in (
        b"nonsense",
        b"[]",
        b"{}",
        b'{"after":[1]}',
        b'{"after":null}',
        b'{"after":"%d"}' % 2**63,
    ):
        token = base64.urlsafe_b64encode(made_up).decode().rstrip("=")
        assert lrs.ask("GET", f"statements/more/{token}").status_code == 404, made_up
    assert lrs.ask("GET", "statements/more/nonsense").status_code == 404


def test_filters(lrs: Provider) -> None:
    registration = str(uuid.uuid4())
    team = {"objectType": "Group", "name": "Night shift", "member": [OTHER]}
    two = {"id": "http://example.test/activities/two"}
    plain = statement()
    by_other = statement(actor=OTHER)
    by_group = statement(actor=team)
    about_other = statement(object={**OTHER, "objectType": "Agent"})
    related = statement(
        verb={"id": "http://example.test/verbs/saw"},
        context={
            "registration": registration.upper(),
            "instructor": OTHER,
            "contextActivities": {"grouping": [two]},
        },
    )
    inside = statement(
        object={"objectType": "SubStatement", "actor": OTHER, "verb": VERB, "object": two}
    )
    everything = [plain, by_other, by_group, about_other, related, inside]
    for one in everything:
        lrs.post(one)

    def found(**query: Any) -> set[str]:
        for name in ("agent",):
            if name in query:
                query[name] = json.dumps(query[name])
        return set(lrs.find(**query))

    def ids(*some: dict[str, Any]) -> set[str]:
        return {one["id"] for one in some}

    assert found(agent=OTHER) == ids(by_other, by_group, about_other)
    assert found(agent={**OTHER, "name": "Tomasz"}) == ids(by_other, by_group, about_other)
    assert found(agent=OTHER, related_agents="true") == ids(*everything) - ids(plain)
    assert found(verb="http://example.test/verbs/saw") == ids(related)
    assert found(activity=two["id"]) == set()
    assert found(activity=two["id"], related_activities="true") == ids(related, inside)
    assert found(registration=registration) == ids(related)
    assert found(registration=registration, agent=OTHER) == set()
    assert found(registration=registration, agent=OTHER, related_agents="true") == ids(related)
    assert found(agent=ACTOR, activity=ACTIVITY["id"]) == ids(plain, related)
    assert found(verb="http://example.test/verbs/unknown") == set()
    authority = lrs.find_statements(limit=1)[0]["authority"]
    assert found(agent=authority, related_agents="true") == ids(*everything)


def test_since_is_exclusive_and_until_inclusive(lrs: Provider) -> None:
    start = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
    sent = []
    for minute in range(4):
        with clock.travel(start + dt.timedelta(minutes=minute)):
            sent += lrs.post(statement())
    stored = [one["stored"] for one in lrs.find_statements(ascending="true")]
    assert lrs.find(since=stored[1], ascending="true") == sent[2:]
    assert lrs.find(until=stored[1], ascending="true") == sent[:2]
    assert lrs.find(since=stored[0], until=stored[2], ascending="true") == sent[1:3]
    assert lrs.find(since="2026-11-23T11:02:30+02:00") == sent[3:]
    assert lrs.find(until="2020-01-01") == []


def test_stored_never_goes_back_with_the_clock(lrs: Provider) -> None:
    with clock.travel(dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)):
        lrs.post(statement())
    with clock.travel(dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)):
        lrs.post(statement())
    first, second = [one["stored"] for one in lrs.find_statements(ascending="true")]
    assert first < second


def test_statements_that_target_a_match_match(lrs: Provider) -> None:
    verb = {"id": "http://example.test/verbs/confirmed"}
    first = statement(actor=OTHER)
    second = statement(verb=verb, object=ref(first))
    third = statement(verb=verb, object=ref(second))
    early = statement(verb=verb, object=ref("11111111-1111-4111-8111-111111111111"))
    for one in (first, second, third, early):
        lrs.post(one)
    agent = json.dumps(OTHER)
    assert lrs.find(agent=agent, ascending="true") == [first["id"], second["id"], third["id"]]
    assert lrs.find(agent=agent, limit=1) == [third["id"], second["id"], first["id"]]
    target = statement(id="11111111-1111-4111-8111-111111111111", actor=OTHER)
    lrs.post(target)
    assert early["id"] in lrs.find(agent=agent)
    # In one batch, in any order.
    a, b, c = statement(), statement(), statement(actor=OTHER)
    a["object"], b["object"] = ref(b), ref(c)
    lrs.post([a, b, c])
    assert {a["id"], b["id"], c["id"]} <= set(lrs.find(agent=agent))
    # The voided one is gone, the one that voids is found by it.
    void = statement(verb=VOIDED, object=ref(first))
    lrs.post(void)
    assert void["id"] in lrs.find(agent=agent)
    assert first["id"] not in lrs.find(agent=agent)


def test_formats(lrs: Provider) -> None:
    named = {
        **ACTIVITY,
        "definition": {"name": {"en-US": "One", "de": "Eins"}, "type": "http://t.test/t"},
    }
    lrs.post(statement(actor={**ACTOR, "name": "Leila Haddad"}, object=named))
    lrs.post(statement(verb={"id": VERB["id"], "display": {"de": "tat"}}))
    ids = lrs.find_statements(format="ids", ascending="true")[0]
    assert (ids["actor"], ids["verb"], ids["object"]) == (ACTOR, {"id": VERB["id"]}, ACTIVITY)
    answer = lrs.ask(
        "GET",
        query_string={"format": "canonical"},
        headers={"Accept-Language": "de-AT, en;q=0.5"},
    )
    canonical = answer.json["statements"][0]
    assert canonical["object"]["definition"]["name"] == {"de": "Eins"}
    assert canonical["verb"]["display"] == {"de": "tat"}
    exact = lrs.find_statements()[0]
    assert exact["object"] == ACTIVITY


def test_wrong_parameters_are_answered_like_others(lrs: Provider) -> None:
    answer = lrs.ask("GET", query_string={"agent": '{"objectType": "Group", "member": []}'})
    assert answer.status_code == 400
    assert answer.json["error"]
    assert answer.headers["X-Experience-API-Consistent-Through"]


def test_while_somebody_stores_only_what_is_visible_is_promised(app: Flask, lrs: Provider) -> None:
    lrs.post(statement())
    [before] = lrs.find_statements()
    db.session.rollback()
    with writing(True), db.engine.connect() as other:  # on SQLite, to begin is to take the lock
        if db.engine.dialect.name == "postgresql":
            other.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITERS_LOCK})
        else:
            other.execute(text("SELECT 1"))
        answer = lrs.ask("GET")
        assert answer.headers["X-Experience-API-Consistent-Through"] == before["stored"]
        other.rollback()
    later = lrs.ask("GET").headers["X-Experience-API-Consistent-Through"]
    assert later > before["stored"]


def test_each_agent_and_activity_is_linked_once(lrs: Provider) -> None:
    both = statement(object={**ACTOR, "objectType": "Agent"}, context={"instructor": ACTOR})
    lrs.post(both)
    links = db.session.scalar(select(func.count()).select_from(LrsStatementAgent))
    assert links == 2  # the actor, and the authority
