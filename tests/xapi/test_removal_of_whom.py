"""Who is looked for is found: however a mail address is written, and where no filter looks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.db import db
from tests.factories.people import make_person
from tests.xapi.lrs import ACTIVITY, OTHER, Provider, statement
from tests.xapi.test_removal import everything_held, remove, texts
from xapi.keeping import removal, rows
from xapi.keeping.choice import Choice
from xapi.keeping.subject import read_subject
from xapi.lrs import keys as module
from xapi.lrs.keys import find_agent_key, find_person_key
from xapi.lrs.mentions import mentions_of, persons_in
from xapi.lrs.models import LrsDocument, LrsMention, LrsStatement
from xapi.lrs.validate import check_statement

EXTENSION = "http://example.test/ext/who"


def sha1(address: str) -> str:
    return hashlib.sha1(f"mailto:{address}".encode(), usedforsecurity=False).hexdigest()


SPELT: tuple[dict[str, Any], ...] = (
    {"mbox": "mailto:doris.low@example.test"},
    {"mbox": "mailto:Doris.Low@example.test"},
    {"mbox": "mailto:DORIS.LOW@EXAMPLE.TEST"},
    {"mbox": "mailto:dOrIs.LoW@Example.test"},
    {"mbox_sha1sum": sha1("doris.low@example.test")},
    {"mbox_sha1sum": sha1("doris.low@example.test").upper()},
    {"mbox_sha1sum": sha1("Doris.Low@example.test")},
    {"mbox_sha1sum": sha1("doris.low@Example.test")},
    {"mbox_sha1sum": sha1("DORIS.LOW@EXAMPLE.TEST")},
)
SOMEBODY_ELSE = ({"mbox": "mailto:doris.lowe@example.test"}, {"mbox": "mailto:low@example.test"})


@pytest.fixture
def provider(app: Flask) -> Provider:
    return Provider(app)


@contextmanager
def monkeypatched_digest(seen: list[str]) -> Iterator[None]:
    """Note what is digested."""
    with pytest.MonkeyPatch.context() as patch:
        digest = module.digest

        def noting(text: str) -> str:
            seen.append(text)
            return digest(text)

        patch.setattr(module, "digest", noting)
        yield


def count_exported(typed: str) -> int:
    return rows.count(Choice(agents=read_subject(typed).keys), 10**9)


@pytest.mark.parametrize(
    "typed",
    [
        "doris.low@example.test",
        "Doris.Low@Example.TEST",
        "mailto:DORIS.LOW@example.test",
        '{"mbox": "mailto:Doris.Low@example.test"}',
    ],
)
def test_however_the_address_is_written(app: Flask, provider: Provider, typed: str) -> None:
    spelt = SPELT if not typed.startswith("{") else [one for one in SPELT if "mbox" in one]
    provider.post([statement(actor=one) for one in spelt])
    kept = provider.post([statement(actor=one) for one in SOMEBODY_ELSE])
    assert count_exported(typed) == len(spelt)
    assert removal.measure(read_subject(typed)).statements == len(spelt)
    assert remove(read_subject(typed)).statements == len(spelt)
    assert set(texts()) == set(kept)
    if not typed.startswith("{"):
        assert db.session.scalar(select(func.count()).select_from(LrsMention)) == 0


def test_somebody_of_ropes_is_found_by_any_writing(app: Flask, provider: Provider) -> None:
    make_person("Doris Low", email="doris.low@example.test")
    provider.post([statement(actor=one) for one in SPELT])
    assert remove(read_subject("doris.low@example.test")).statements == len(SPELT)
    assert texts() == {}


def test_an_installation_that_was_moved_finds_its_people(app: Flask, provider: Provider) -> None:
    """Whoever changes LMS_HOME_PAGE against all advice is not told that nothing is held."""
    person = make_person("Doris Low", email="doris.low@example.test")
    old = {"account": {"homePage": "https://old.example.test", "name": person.uid}}
    provider.post([statement(actor=old), statement(actor=OTHER, context={"instructor": old})])
    subject = read_subject(person.uid)
    assert removal.measure(subject).statements == 2
    made = remove(subject)
    assert (made.statements, made.replaced) == (1, 1)
    assert person.uid not in str(list(texts().values()))


def test_to_the_standard_they_are_as_many_agents(app: Flask, provider: Provider) -> None:
    """Filters compare as the standard does: only the domain's case is nothing (Data 2.4.2.3)."""
    provider.post([statement(actor=one) for one in SPELT])
    for one, count in ((SPELT[0], 1), (SPELT[1], 1), (SPELT[4], 1), (SPELT[5], 1)):
        assert len(provider.find(agent=orjson.dumps(one).decode())) == count


def test_documents_kept_under_any_writing(app: Flask, provider: Provider) -> None:
    for agent in (*SPELT, OTHER):
        answer = provider.ask(
            "PUT",
            "activities/state",
            query_string={
                "activityId": ACTIVITY["id"],
                "stateId": "bookmark",
                "agent": orjson.dumps(agent).decode(),
            },
            data=b"page 7",
            headers={"Content-Type": "text/plain"},
        )
        assert answer.status_code == 204
    subject = read_subject("doris.low@example.test")
    assert removal.measure(subject).documents == len(SPELT)
    assert count_exported("Doris.Low@example.test") == 0  # statements alone
    assert rows.count(Choice(agents=subject.keys, documents=True), 10**9) == len(SPELT)
    assert remove(subject).documents == len(SPELT)
    assert db.session.scalar(select(func.count()).select_from(LrsDocument)) == 1


DORIS = {"mbox": "mailto:Doris.Low@example.test", "name": "Doris Low"}
DEFINED = {"id": "http://example.test/people", "definition": {"extensions": {EXTENSION: DORIS}}}
PLANS = {"id": "http://example.test/verbs/plans"}


@pytest.mark.parametrize(
    "hidden",
    [
        {"context": {"extensions": {EXTENSION: DORIS}}},
        {"context": {"extensions": {EXTENSION: "mailto:doris.low@example.test"}}},
        {"context": {"extensions": {EXTENSION: " Doris Low <Doris.Low@example.test> "}}},
        {"context": {"extensions": {EXTENSION: {"by": {"doris.low@example.test": 5}}}}},
        {"result": {"extensions": {"mailto:Doris.Low@example.test": 5}}},
        {"context": {"extensions": {EXTENSION: ["x", {"deep": ["Doris.Low@example.test"]}]}}},
        {"result": {"extensions": {EXTENSION: [[{"peers": [DORIS, OTHER]}]]}}},
        {"object": DEFINED},
        {"context": {"contextActivities": {"category": DEFINED}}},
        {"context": {"contextActivities": {"grouping": [ACTIVITY, DEFINED]}}},
        {
            "object": {
                "objectType": "SubStatement", "actor": OTHER, "verb": PLANS, "object": DEFINED,
            },
        },
        {
            "object": {
                "objectType": "SubStatement", "actor": OTHER, "verb": PLANS, "object": ACTIVITY,
                "context": {
                    "extensions": {EXTENSION: DORIS}, "contextActivities": {"other": [DEFINED]},
                },
                "result": {"extensions": {EXTENSION: DORIS}},
            },
        },
    ],
)  # fmt: skip
def test_who_stands_in_extensions_alone(
    app: Flask, provider: Provider, hidden: dict[str, Any]
) -> None:
    [one] = provider.post([statement(actor=OTHER, **hidden)])
    kept = provider.post([statement(actor=OTHER)])
    assert count_exported("doris.low@example.test") == 1
    made = remove(read_subject("doris.low@example.test"))
    assert (made.statements, made.replaced) == (0, 1)
    assert set(texts()) == {one, *kept}
    check_statement(texts()[one], 1)
    held = everything_held(app).lower()
    assert "doris" not in held
    assert "removed" in held
    told = provider.ask("GET", "activities", query_string={"activityId": DEFINED["id"]}).get_data()
    assert b"oris" not in told


def test_what_a_removed_statement_defined_is_served_no_more(app: Flask, provider: Provider) -> None:
    """Others name the activity still; what it was called by the removed one does not say whom."""
    provider.post([statement(actor=DORIS, object=DEFINED)])
    [kept] = provider.post([statement(actor=OTHER, object={"id": DEFINED["id"]})])
    remove(read_subject("doris.low@example.test"))
    assert set(texts()) == {kept}
    answer = provider.ask("GET", "activities", query_string={"activityId": DEFINED["id"]})
    account = {"homePage": app.config["LMS_HOME_PAGE"], "name": "removed"}
    assert answer.json["definition"] == {"extensions": {EXTENSION: {"account": account}}}


def test_an_account_in_an_extension(app: Flask, provider: Provider) -> None:
    account = {"account": {"homePage": "https://hr.example.test", "name": "Zebra-4711"}}
    provider.post([statement(actor=OTHER, context={"extensions": {EXTENSION: account}})])
    assert count_exported("https://hr.example.test zebra-4711") == 0
    assert remove(read_subject("https://hr.example.test Zebra-4711")).replaced == 1
    assert not re.search("zebra", everything_held(app), re.IGNORECASE)


def test_words_about_them_are_not_touched(app: Flask, provider: Provider) -> None:
    said = "Doris.Low@example.test told me so"
    [one] = provider.post(
        [statement(actor=OTHER, result={"response": said, "extensions": {EXTENSION: said}})]
    )
    assert remove(read_subject("doris.low@example.test")).replaced == 0
    assert texts()[one]["result"] == {"response": said, "extensions": {EXTENSION: said}}


def test_a_statement_that_is_discarded_leaves_no_mention(app: Flask, provider: Provider) -> None:
    provider.post([statement(actor=OTHER, context={"extensions": {EXTENSION: [DORIS, OTHER]}})])
    assert db.session.scalar(select(func.count()).select_from(LrsMention)) == 2
    remove(read_subject("http://example.test tomasz"))
    assert db.session.scalar(select(func.count()).select_from(LrsStatement)) == 0
    assert db.session.scalar(select(func.count()).select_from(LrsMention)) == 0


def test_whose_statement_voided_its_target_does_not_matter(app: Flask, provider: Provider) -> None:
    """What they voided of their own goes; what they voided of others is explained still."""
    void = {"id": "http://adlnet.gov/expapi/verbs/voided"}
    mine, others = statement(actor=DORIS), statement(actor=OTHER)
    provider.post([mine, others])
    voiding = [
        statement(actor=DORIS, verb=void, object={"objectType": "StatementRef", "id": one["id"]})
        for one in (mine, others)
    ]
    for one in voiding:
        provider.post([one])
    made = remove(read_subject("doris.low@example.test"))
    after = texts()
    assert set(after) == {others["id"], voiding[1]["id"]}
    assert after[voiding[1]["id"]]["actor"]["account"]["name"] == "removed"
    assert provider.ask("GET", query_string={"statementId": others["id"]}).status_code == 404
    assert (made.statements, made.replaced) == (2, 1)
    assert "doris" not in everything_held(app).lower()


def test_what_extensions_hold_is_mostly_nobody() -> None:
    deep: Any = 7
    for _ in range(95):
        deep = {"openid": deep, "mbox": [deep], "account": {"homePage": deep, "name": deep}}
        if len(str(deep)) > 100_000:
            break
    odd = [deep, None, 7, True, "", "@", "a@", "@b", "a b@c", "see a@b.test", "https://a@b.test/",
           {"account": "x"}, {"account": {"name": 1}}, {"mbox": 7}, {"mbox_sha1sum": None}, [[]]]  # fmt: skip
    assert persons_in(odd) == set()
    assert persons_in({"x": ["a@b.test", "MAILTO:A@B.TEST", {"mbox": "mailto:A@b.test"}]}) == {
        find_agent_key({"mbox": "mailto:a@b.test"})
    }
    plain = statement(actor=OTHER)
    assert mentions_of(plain, [OTHER]) == set()


def test_who_is_named_by_nothing_but_documents_is_forgotten(app: Flask, provider: Provider) -> None:
    """Statements of other spellings went first; what is known of these agents stays no longer."""
    activity = {"id": "http://example.test/hers", "definition": {"name": {"en": "Hers"}}}
    agent = {"mbox": "mailto:DORIS.low@example.test"}
    provider.post([statement(actor={**agent, "name": "Doris Low"}, object=activity)])
    provider.ask(
        "PUT", "activities/state", data=b"page 7", content_type="text/plain",
        query_string={
            "activityId": activity["id"], "stateId": "s", "agent": orjson.dumps(agent).decode(),
        },
    )  # fmt: skip
    remove(read_subject("doris.low@example.test"))
    held = everything_held(app).lower()
    assert "doris" not in held
    assert "example.test/hers" not in held
    told = provider.ask("GET", "agents", query_string={"agent": orjson.dumps(agent).decode()})
    assert "name" not in told.json


def test_what_they_voided_before_it_came_is_voided_when_it_comes(
    app: Flask, provider: Provider
) -> None:
    late = statement(actor=OTHER)
    void = {"id": "http://adlnet.gov/expapi/verbs/voided"}
    target = {"objectType": "StatementRef", "id": late["id"]}
    provider.post([statement(actor=DORIS, verb=void, object=target)])
    assert remove(read_subject("doris.low@example.test")).replaced == 1
    provider.post([late])
    assert provider.ask("GET", query_string={"statementId": late["id"]}).status_code == 404


def test_extensions_that_are_nested_take_no_time(app: Flask, provider: Provider) -> None:
    """What merely looks like an agent is not written out at every level (it took 14 seconds)."""
    nested: Any = "x" * 20_000
    for _ in range(95):
        nested = {"openid": nested}
    keys: list[str] = []
    told = statement(actor=OTHER, context={"extensions": {EXTENSION: nested}})
    with monkeypatched_digest(keys):
        provider.post([told])
    assert max(map(len, keys)) < 25_000
    assert sum(map(len, keys)) < 100_000


def test_the_key_of_a_person() -> None:
    assert {find_person_key(one) for one in SPELT if "mbox" in one} == {find_agent_key(SPELT[0])}
    assert find_person_key(SPELT[5]) == find_agent_key(SPELT[4])
    account = {"account": {"homePage": "http://X.test", "name": "Y"}}
    assert find_person_key(account) == find_agent_key(account)
    assert find_person_key({"member": []}) is None
