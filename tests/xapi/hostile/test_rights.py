"""Who says that he is somebody else, and who wants more than his credential gives."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.db import db
from tests.factories.people import make_person
from tests.xapi.hostile.attack import Attack, count_rows, withstand
from tests.xapi.lrs import ACTOR, OTHER, Provider, attachment, multipart, statement
from xapi.lrs import query
from xapi.lrs.credentials import authority_of
from xapi.lrs.discard import discard
from xapi.lrs.models import LrsAttachment, LrsStatement

VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}


def basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


def form(query: str = "method=PUT", **fields: str) -> dict[str, Any]:
    kind = "application/x-www-form-urlencoded"
    return {"query_string": query, "data": urlencode(fields), "content_type": kind}


def voiding(target: str) -> dict[str, Any]:
    return statement(verb=VOIDED, object={"objectType": "StatementRef", "id": target})


@pytest.fixture
def lrs(app: Flask) -> Provider:
    return Provider(app)


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic é",
        "Basic !!!!",
        basic(b"no colon"),
        basic(b"\xff\xfe:x"),
        basic(b"a\0b:c"),
        basic(b"' OR 1=1 --:x"),
        basic(b"k" * 60_000 + b":x"),
        basic("ключ:пароль".encode()),
        "Bearer abc",
        "Digest username=x",
        "",
    ],
)
def test_who_proves_nothing_is_nobody(
    lrs: Provider, header: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Authorization": header}
    for method in ("GET", "POST", "PUT"):
        attack = Attack(
            "nobody", "key and secret", 401, method, send={"headers": headers, "json": statement()}
        )
        withstand(lrs, attack, caplog)


def test_authority_stored_and_version_are_the_stores_own(lrs: Provider) -> None:
    forged = [
        OTHER,
        authority_of("0" * 32),
        {"objectType": "Group", "member": [ACTOR, OTHER]},
    ]
    for authority in forged:
        sent = statement(authority=authority, stored="1999-01-01T00:00:00Z")
        lrs.post(sent)
        got = lrs.ask("GET", query_string={"statementId": sent["id"]}).json
        assert got["authority"]["account"]["name"].startswith("lrs/")
        assert got["authority"] != authority
        assert got["stored"] > "2026"


def test_nobody_speaks_as_a_credential(
    app: Flask, lrs: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """A reader of its own statements would take them for its own."""
    agent = authority_of("0" * 32)
    group = {"objectType": "Group", "member": [ACTOR, agent]}
    for parts in (
        {"actor": agent},
        {"actor": group},
        {"object": agent},
        {"context": {"instructor": agent}},
        {"object": {**statement(id=None, actor=agent), "objectType": "SubStatement"}},
    ):
        attack = Attack("as another", "account.name", 403, send={"json": statement(**parts)})
        withstand(lrs, attack, caplog)


def test_lesser_scopes_do_not_void(
    app: Flask, lrs: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    target = statement()
    lrs.post(target)
    writer = Provider(app, ("statements/write",))
    void = voiding(target["id"])
    for send in (
        {"json": void},
        {"json": [statement(), void]},
        form("method=POST", content=orjson.dumps(void).decode()),
        form("method=PUT", statementId=void["id"], content=orjson.dumps(void).decode()),
    ):
        withstand(writer, Attack("void", "may not void", 403, send=send), caplog)
    assert target["id"] in lrs.find()


MINE = ("statements/write", "statements/read/mine")


def test_a_hash_is_no_claim_to_what_others_attached(app: Flask, lrs: Provider) -> None:
    """Whoever knows the hash names it, with an address for its bytes: none come."""
    secret = b"minutes of the works council"
    described = attachment(secret)
    theirs = statement(attachments=[described])
    body, kind = multipart(theirs, (described["sha2"], secret))
    assert lrs.ask("POST", data=body, content_type=kind).status_code == 200
    thief = Provider(app, MINE)
    for number, sha2 in enumerate((described["sha2"], described["sha2"].upper())):
        claim = {**described, "sha2": sha2, "fileUrl": "http://example.test/f"}
        inner = {**statement(id=None, attachments=[claim]), "objectType": "SubStatement"}
        for claiming in (statement(attachments=[claim]), statement(object=inner)):
            thief.post(claiming)
            for narrowed in (
                {"statementId": claiming["id"]},
                {"limit": "50"},
                {"format": "canonical"},
            ):
                answer = thief.ask("GET", query_string={**narrowed, "attachments": "true"})
                assert answer.status_code == 200
                assert secret not in answer.data, (number, narrowed)
    # The bytes themselves are proof enough that one has them.
    mine = statement(attachments=[described])
    body, kind = multipart(mine, (described["sha2"], secret))
    assert thief.ask("POST", data=body, content_type=kind).status_code == 200
    asked = {"statementId": mine["id"], "attachments": "true"}
    assert secret in thief.ask("GET", query_string=asked).data
    # And nobody keeps by a claim what its owner has removed.
    rows = select(LrsStatement.id).where(LrsStatement.statement_id.in_([theirs["id"], mine["id"]]))
    discard(db.session.scalars(rows).all())
    assert db.session.scalar(select(func.count()).select_from(LrsAttachment)) == 0
    db.session.commit()


@pytest.mark.parametrize("ascending", ["true", "false"])
def test_what_others_claim_of_bytes_does_not_hold(
    app: Flask, lrs: Provider, ascending: str
) -> None:
    """On a page with both, the media type is that of the statement which the bytes came with."""
    described = attachment(b"plain words")
    body, kind = multipart(statement(attachments=[described]), (described["sha2"], b"plain words"))
    claim = {**described, "contentType": "text/html", "fileUrl": "http://example.test/f"}
    Provider(app, MINE).post(statement(attachments=[claim]))
    assert lrs.ask("POST", data=body, content_type=kind).status_code == 200
    Provider(app, MINE).post(statement(attachments=[claim]))
    answer = lrs.ask("GET", query_string={"attachments": "true", "ascending": ascending}).data
    assert answer.count(b"plain words") == 1
    assert b"Content-Type: text/plain" in answer
    assert b"Content-Type: text/html" not in answer


def test_bytes_may_come_later_from_who_stored_the_statement(app: Flask, lrs: Provider) -> None:
    described = attachment(b"late", fileUrl="http://example.test/f")
    one = statement(attachments=[described])
    lrs.post(one)
    asked = {"statementId": one["id"], "attachments": "true"}
    body, kind = multipart([one, statement()], (described["sha2"], b"late"))
    other = Provider(app)
    assert other.ask("POST", data=body, content_type=kind).status_code == 200
    assert db.session.scalar(select(func.count()).select_from(LrsAttachment)) == 0
    body, kind = multipart(one, (described["sha2"], b"late"))
    for _ in range(2):
        assert lrs.ask("POST", data=body, content_type=kind).status_code == 200
        assert b"late" in lrs.ask("GET", query_string=asked).data


@pytest.mark.parametrize("long", [False, True])
def test_a_reference_asks_nothing_about_what_may_not_be_read(
    app: Flask, lrs: Provider, long: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filters follow references; one's own reference leads to no statement of others."""
    if long:
        monkeypatch.setattr(query, "SHORT", 0)
    secret = statement(actor=OTHER, object={"id": "http://example.test/activities/secret"})
    lrs.post(secret)
    spy = Provider(app, MINE)
    mine = statement(object={"id": "http://example.test/activities/mine"})
    about = [
        statement(object={"objectType": "StatementRef", "id": one["id"]}) for one in (secret, mine)
    ]
    spy.post([mine, *about])
    agent = orjson.dumps(OTHER).decode()
    activity = secret["object"]["id"]
    for asked in ({"agent": agent}, {"activity": activity}, {"agent": agent, "activity": activity}):
        assert spy.find(**asked) == []
        assert set(lrs.find(**asked)) == {secret["id"], about[0]["id"]}
    assert set(spy.find(activity=mine["object"]["id"])) == {mine["id"], about[1]["id"]}
    # Nor through one of others to one of its own, which would tell that they are about it.
    theirs = statement(object={"objectType": "StatementRef", "id": about[1]["id"]})
    lrs.post(theirs)
    through = statement(object={"objectType": "StatementRef", "id": theirs["id"]})
    spy.post(through)
    assert set(spy.find(activity=mine["object"]["id"])) == {mine["id"], about[1]["id"]}
    assert through["id"] in lrs.find(activity=mine["object"]["id"])
    again = statement(object={"objectType": "StatementRef", "id": about[1]["id"]})
    spy.post(again)
    found = {mine["id"], about[1]["id"], again["id"]}
    assert set(spy.find(activity=mine["object"]["id"])) == found
    about += [through, again]
    assert set(spy.find(verb=str(mine["verb"]["id"]))) == {mine["id"], *(x["id"] for x in about)}


def test_nobody_is_called_what_the_removed_are(
    app: Flask, lrs: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    agent = {"account": {"homePage": app.config["LMS_HOME_PAGE"], "name": "removed"}}
    for parts in ({"actor": agent}, {"context": {"instructor": agent}}):
        attack = Attack("nobody", "removed", 403, send={"json": statement(**parts)})
        withstand(lrs, attack, caplog)
    elsewhere = {"account": {"homePage": "http://example.test", "name": "removed"}}
    lrs.post(statement(actor=elsewhere))


def test_an_edited_more_shows_no_other_statements(app: Flask, lrs: Provider) -> None:
    lrs.post([statement() for _ in range(3)])
    mine = Provider(app, ("statements/write", "statements/read/mine"))
    own = [statement() for _ in range(3)]
    mine.post(own)
    told = orjson.dumps({"limit": "100", "after": str(2**62), "related_agents": "true"})
    token = base64.urlsafe_b64encode(told).decode().rstrip("=")
    answer = mine.ask("GET", f"statements/more/{token}")
    assert {one["id"] for one in answer.json["statements"]} == {one["id"] for one in own}


@pytest.mark.parametrize(
    "told",
    [
        b"[]",
        b"{}",
        b'{"after": 1e999}',
        b'{"after": 1.5}',
        b'{"after": ["1"]}',
        b'{"after": "-1"}',
        b'{"after": "99999999999999999999"}',
        '{"after": "٣"}'.encode(),
        b'{"after": "1", "limit": {"a": 1}}',
        b"\xff",
        b"[" * 500,
    ],
)
def test_a_more_that_is_none_leads_nowhere(
    lrs: Provider, told: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    token = base64.urlsafe_b64encode(told).decode().rstrip("=")
    attack = Attack("more", "does not continue", 404, "GET", f"statements/more/{token}")
    withstand(lrs, attack, caplog)


def test_the_form_smuggles_nothing(lrs: Provider, caplog: pytest.LogCaptureFixture) -> None:
    one = statement()
    content = orjson.dumps(one).decode()
    told = {"statementId": one["id"], "content": content}
    twice = urlencode([*told.items(), ("statementId", statement()["id"])])
    kind = "application/x-www-form-urlencoded"
    for says, send in (
        ("Authorization: the form and", form(**told, Authorization=basic(b"a:b"))),
        ("Authorization: a header is", form(**told, Authorization="Basic a\r\nX: y")),
        ("Accept: a header is", form(**told, Accept="a\0b")),
        ("form and the header", form(**told, **{"X-Experience-API-Version": "2.0.0"})),
        ("X-Forwarded-For: this", form(**told, **{"X-Forwarded-For": "127.0.0.1"})),
        ("method: must be", form("method=PATCH", **told)),
        ("method: is given more", form("method=PUT&method=GET", **told)),
        ("only query parameter", form("method=PUT&statementId=1", **told)),
        ("statementId: is given more", {**form(**told), "data": twice}),
        ("cannot be read", {**form(), "data": "&".join("a=1" for _ in range(500))}),
        ("holds a NUL", form(**told, **{"a\0": "b"})),
        ("cannot be read", {"query_string": "method=PUT", "data": b"\xff", "content_type": kind}),
    ):
        withstand(lrs, Attack("form", says, 400, send=send), caplog)


def test_headers_override_no_method(app: Flask) -> None:
    reader = Provider(app, ("statements/read",))
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = reader.ask("GET", headers={header: "POST"}, json=statement())
        assert answer.status_code == 200
        assert reader.find() == []


def test_no_page_of_another_site_stores_anything(
    lrs: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """Cookies mean nothing here, and a key that a browser remembers is not used for others."""
    one = statement()
    told = form(statementId=one["id"], content=orjson.dumps(one).decode())
    for site in ("cross-site", "same-site"):
        send = {**told, "headers": {"Sec-Fetch-Site": site, "Origin": "https://evil.example.test"}}
        withstand(lrs, Attack("csrf", "other sites", 403, send=send), caplog)
    answer = lrs.ask("GET", headers={"Origin": "https://evil.example.test"})
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_a_signed_in_browser_is_nobody_here(app: Flask, sign_in: Any) -> None:
    person = make_person("Imani Okafor")
    db.session.commit()
    before = count_rows()
    browser = sign_in(person)
    headers = {"X-Experience-API-Version": "1.0.3"}
    assert browser.post("/xapi/statements", json=statement(), headers=headers).status_code == 401
    assert count_rows()["xapi_statement"] == before["xapi_statement"]


def test_a_document_is_never_a_page(lrs: Provider) -> None:
    place = "activities/profile?activityId=http://example.test/a&profileId=p"
    script = b"<script>alert(1)</script>"
    kept = lrs.ask(
        "PUT", place, data=script, content_type="text/html", headers={"If-None-Match": "*"}
    )
    assert kept.status_code == 204
    got = lrs.ask("GET", place)
    assert got.data == script
    assert got.headers["Content-Disposition"] == "attachment"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]


HOSTILE_VALUES = [
    "' OR '1'='1",
    "1; DROP TABLE xapi_statement; --",
    "%' UNION SELECT secret_hash FROM xapi_credential --",
    "a\r\nX-Evil: 1",
    "\u202e\ufeff\U0001f600",
    "9" * 40,
    "-1",
    "1e9",
    "٣",
    "[]",
    "../../etc/passwd",
    "x" * 20_000,
]
PARAMETERS = [
    *("statementId", "voidedStatementId", "agent", "verb", "activity", "registration"),
    *("related_activities", "related_agents", "since", "until", "limit", "ascending", "format"),
    *("attachments", "' OR 1=1", "limit[]"),
]


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_injection_in_every_parameter(
    lrs: Provider, parameter: str, caplog: pytest.LogCaptureFixture
) -> None:
    kept = statement()
    lrs.post(kept)
    before = count_rows()
    for value in HOSTILE_VALUES:
        answer = lrs.ask("GET", query_string={parameter: value})
        assert answer.status_code == 400, (value, answer.text)
        assert parameter in answer.json["error"]
        assert len(answer.data) < 2000
    assert not caplog.records
    assert count_rows() == before
    assert lrs.find() == [kept["id"]]


def test_what_is_not_there_is_refused_in_json_too(
    lrs: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    for method, path, status in (
        ("GET", "nowhere", 404),
        ("GET", "statements/../../etc/passwd", 404),
        ("GET", "statements/", 404),
        ("PATCH", "statements", 405),
        ("TRACE", "statements", 405),
        ("DELETE", "statements", 405),
        ("PUT", "about", 405),
    ):
        withstand(lrs, Attack("place", "", status, method, path), caplog)
    page = lrs.ask("GET", "nowhere", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.content_type.startswith("text/html")
