"""The statement resource: storing, finding, voiding (xAPI 1.0.3, Communication 2.1)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from lms import clock
from lms.db import db, writing
from tests.xapi.lrs import ACTIVITY, ACTOR, OTHER, VERB, Provider, statement
from xapi.lrs import credentials
from xapi.lrs.models import LrsStatement, LrsStatementAgent
from xapi.lrs.store import WRITERS_LOCK

VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}


def ref(one: dict[str, Any] | str) -> dict[str, str]:
    return {"objectType": "StatementRef", "id": one if isinstance(one, str) else one["id"]}


@pytest.fixture
def lrs(app: Flask) -> Provider:
    return Provider(app)


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


def test_voiding(lrs: Provider) -> None:
    sent, late = statement(), statement()
    lrs.post(sent)
    void = statement(verb=VOIDED, object=ref(sent))
    lrs.post(void)
    assert lrs.ask("GET", query_string={"statementId": sent["id"]}).status_code == 404
    answer = lrs.ask("GET", query_string={"voidedStatementId": sent["id"]})
    assert answer.json["id"] == sent["id"]
    assert lrs.find() == [void["id"]]
    # A voiding statement cannot be voided.
    lrs.post(statement(verb=VOIDED, object=ref(void)))
    assert lrs.ask("GET", query_string={"statementId": void["id"]}).status_code == 200
    # What voids may come before what is voided.
    lrs.post(statement(verb=VOIDED, object=ref(late)))
    lrs.post(late)
    assert late["id"] not in lrs.find()
    # What voids must name a statement.
    lrs.post(statement(verb=VOIDED), status=400)


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


@pytest.mark.parametrize(
    "query",
    [
        {"statementId": str(uuid.uuid4()), "voidedStatementId": str(uuid.uuid4())},
        {"statementId": str(uuid.uuid4()), "limit": "1"},
        {"statementId": "one"},
        {"StatementId": str(uuid.uuid4())},
        {"agent": "{"},
        {"agent": '{"objectType": "Group", "member": []}'},
        {"agent": '{"mbox": "leila"}'},
        {"verb": "did"},
        {"activity": "one"},
        {"registration": "one"},
        {"since": "yesterday"},
        {"limit": "-1"},
        {"limit": "many"},
        {"ascending": "True"},
        {"format": "short"},
        {"colour": "red"},
    ],
)
def test_parameters_that_make_no_sense(lrs: Provider, query: dict[str, str]) -> None:
    answer = lrs.ask("GET", query_string=query)
    assert answer.status_code == 400
    assert answer.json["error"]
    assert answer.headers["X-Experience-API-Consistent-Through"]


def test_who_may_what(app: Flask) -> None:
    every = Provider(app)
    writer = Provider(app, ["statements/write"])
    reader = Provider(app, ["statements/read"])
    own = Provider(app, ["statements/write", "statements/read/mine"])
    sent = statement()
    writer.post(sent)
    assert writer.ask("GET").status_code == 403
    reader.post(statement(), status=403)
    assert reader.find() == [sent["id"]]
    mine = statement()
    own.post(mine)
    assert own.find() == [mine["id"]]
    assert own.find(verb=VERB["id"]) == [mine["id"]]
    assert own.ask("GET", query_string={"statementId": sent["id"]}).status_code == 404
    own.post(statement(verb=VOIDED, object=ref(sent)), status=403)
    # Nobody can speak in another's name.
    forged = every.find_statements(limit=1)[0]["authority"]
    lie = statement(authority=forged)
    writer.post(lie)
    [kept] = [one for one in every.find_statements() if one["id"] == lie["id"]]
    assert kept["authority"]["account"]["name"] != forged["account"]["name"]


def test_a_revoked_credential_is_refused_at_once(app: Flask) -> None:
    lrs = Provider(app)
    assert lrs.ask("GET").status_code == 200
    credentials.revoke(lrs.key)
    db.session.commit()
    answer = lrs.ask("GET")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "authorization", ["", "Basic", "Basic !!!", "Bearer x", "Basic bm9jb2xvbg==", "Basic YTpi"]
)
def test_without_a_credential_nothing(lrs: Provider, authorization: str) -> None:
    answer = lrs.ask("GET", headers={"Authorization": authorization})
    assert answer.status_code == 401


def test_versions(app: Flask, lrs: Provider) -> None:
    assert lrs.ask("GET", headers={"X-Experience-API-Version": "1.0"}).status_code == 200
    for wrong in ("0.95", "1.1", "3.0.0", "one"):
        assert lrs.ask("GET", headers={"X-Experience-API-Version": wrong}).status_code == 400
    newer = lrs.ask("GET", headers={"X-Experience-API-Version": "2.0.0"})
    assert newer.headers["X-Experience-API-Version"] == "2.0.0"
    about = app.test_client().get("/xapi/about")
    assert about.json["version"][:2] == ["2.0.0", "1.0.3"]


def test_2_0_keeps_moments_in_utc_and_knows_context_agents(app: Flask) -> None:
    lrs = Provider(app, version="2.0.0")
    sent = statement(
        timestamp="2026-11-23T10:00:00.5+02:00",
        context={
            "contextAgents": [
                {
                    "objectType": "contextAgent",
                    "agent": OTHER,
                    "relevantTypes": ["http://example.test/types/peer"],
                }
            ]
        },
    )
    lrs.post(sent)
    [kept] = lrs.find_statements(agent=json.dumps(OTHER), related_agents="true")
    assert kept["timestamp"] == "2026-11-23T08:00:00.500000Z"
    assert kept["version"] == "2.0.0"
    older = Provider(app)
    older.post({**sent, "id": str(uuid.uuid4())}, status=400)
    lrs.post(statement(timestamp="20261123T100000Z"), status=400)


def test_alternate_request_syntax(lrs: Provider) -> None:
    sent = statement()
    form = {
        "Authorization": lrs.headers["Authorization"],
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
        "statementId": sent["id"],
        "content": json.dumps(sent),
    }
    bare = lrs.client.post("/xapi/statements?method=PUT", data=form)
    assert bare.status_code == 204
    del form["content"]
    answer = lrs.client.post("/xapi/statements?method=GET", data=form)
    assert answer.json["id"] == sent["id"]
    extra = lrs.client.post("/xapi/statements?method=GET&limit=1", data=form)
    assert extra.status_code == 400
    newer = lrs.ask(
        "POST",
        "statements?method=GET",
        data={"limit": "1"},
        headers={"X-Experience-API-Version": "2.0.0"},
    )
    assert newer.status_code == 400


def multipart(body: Any, *attachments: tuple[str, bytes]) -> tuple[bytes, str]:
    pieces = [b"--edge\r\nContent-Type: application/json\r\n\r\n", json.dumps(body).encode()]
    for sha2, content in attachments:
        pieces.append(
            b"\r\n--edge\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n"
            b"X-Experience-API-Hash: " + sha2.encode() + b"\r\n\r\n" + content
        )
    pieces.append(b"\r\n--edge--\r\n")
    return b"".join(pieces), "multipart/mixed; boundary=edge"


def attachment(content: bytes, **more: Any) -> dict[str, Any]:
    return {
        "usageType": "http://example.test/usage",
        "display": {"en": "a file"},
        "contentType": "text/plain",
        "length": len(content),
        "sha2": hashlib.sha256(content).hexdigest(),
        **more,
    }


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


def test_extensions_are_as_deep_as_can_be_written_again(lrs: Provider) -> None:
    def deep(levels: int, inner: str, outer: str) -> dict[str, object]:
        extensions = {"http://example.test/e": json.loads(inner * levels + "1" + outer * levels)}
        return statement(context={"extensions": extensions})

    lrs.post([deep(90, '{"a":', "}"), deep(90, "[", "]")])
    for inner, outer in (('{"a":', "}"), ("[", "]")):
        answer = lrs.post(deep(300, inner, outer), status=400)
        assert "nested deeper" in str(answer)
    assert stored_count() == 2


def test_head_is_get_without_a_body(lrs: Provider) -> None:
    lrs.post(statement())
    head, get = lrs.ask("HEAD"), lrs.ask("GET")
    assert head.status_code == 200
    assert head.data == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert "X-Experience-API-Consistent-Through" in head.headers


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


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_a_call_without_a_version_is_refused_in_its_callers_own(
    app: Flask, method: str, version: str
) -> None:
    """1.0.3, Communication 3.3; 2.0, 4.1.5: refused, by a version that the caller speaks."""
    provider = Provider(app, version=version)
    del provider.headers["X-Experience-API-Version"]
    told = statement()
    query = {"statementId": told["id"]} if method == "PUT" else {}
    answer = provider.ask(method, query_string=query, **({} if method == "GET" else {"json": told}))
    assert answer.status_code == 400, answer.text
    assert answer.json["error"].startswith("X-Experience-API-Version: ")
    assert answer.headers.getlist("X-Experience-API-Version") == [version]
    del provider.headers["Authorization"]
    answer = provider.ask("GET")
    assert (answer.status_code, answer.headers["X-Experience-API-Version"]) == (400, "1.0.3")
