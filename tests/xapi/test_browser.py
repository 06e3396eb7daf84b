"""The statement browser: what is found, how it is said, who may look, and what is written down."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms import clock
from lms.audit import AuditEntry
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Person, new_uid
from tests.factories.people import make_person
from tests.queries import counted
from tests.xapi.lrs import ACTOR, Provider, statement
from tests.xapi.test_delivery import record
from xapi import api, build, vocabulary
from xapi.lrs.keys import digest, find_agent_key

Open = Callable[[Person], FlaskClient]


@pytest.fixture
def admin(app: Flask) -> Person:
    return make_person("Jonas Brandt", is_administrator=True)


@pytest.fixture
def browser(app: Flask, sign_in: Open, admin: Person) -> FlaskClient:
    return sign_in(admin)


def say(person: Person, verb: Any = vocabulary.ANSWERED, **more: Any) -> str:
    course = build.activity("courses/welcome/v1", vocabulary.COURSE, "Welcome")
    question = build.activity("courses/welcome/v1/cards/a", vocabulary.QUESTION, "Whom do you ask?")
    told = build.statement(person.uid, verb, question, grouping=[course], **more)
    made = api.record(person.id, told)
    db.session.commit()
    return made


def enter(app: Flask, person: Person) -> FlaskClient:
    """Return a browser of this app in which the person is signed in."""
    assert person.identity is not None
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = person.identity.fs_uniquifier
        session["lms_key"] = new_uid()
        session["_fresh"] = True
    return browser


def plain(page: str) -> str:
    """Return the words of a page: no tags, blanks made one."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.partition("<main")[2]))


def find(browser: FlaskClient, **fields: Any) -> Any:
    return browser.post("/xapi/browser/find", data=fields)


def test_a_statement_is_one_readable_sentence(app: Flask, browser: FlaskClient) -> None:
    imani = make_person("Imani Okafor")
    say(imani, success=True, score_scaled=1.0, duration_seconds=90)
    run_pending()
    words = plain(browser.get("/xapi/browser").text)
    assert "Imani Okafor answered “Whom do you ask?” in “Welcome”" in words
    assert "right · 2 minutes" in words


def test_it_is_said_in_the_readers_language(
    app: Flask, browser: FlaskClient, admin: Person
) -> None:
    say(make_person("Imani Okafor"), success=False)
    run_pending()
    admin.language = "de"
    assert "Imani Okafor hat „Whom do you ask?“ beantwortet, in „Welcome“" in plain(
        browser.get("/xapi/browser").text
    )


def test_a_verb_of_others_is_said_as_they_display_it(
    app: Flask, browser: FlaskClient, admin: Person
) -> None:
    verb = {"id": "http://example.test/verbs/x", "display": {"en": "pondered", "de-AT": "erwog"}}
    named = {"id": "http://example.test/a", "definition": {"name": {"fr": "La mer"}}}
    bare = {"id": "http://example.test/verbs/mused"}
    Provider(app).post([statement(verb=verb, object=named), statement(verb=bare)])
    page = browser.get("/xapi/browser").text
    assert "leila.haddad@example.test pondered “La mer”" in plain(page)
    assert '<bdi lang="fr">La mer</bdi>' in page
    assert "mused “http://example.test/activities/one”" in plain(page)
    admin.language = "de"
    assert "erwog „La mer“" in plain(browser.get("/xapi/browser").text)


def test_pages_lead_back_and_forth_and_show_each_once(app: Flask, browser: FlaskClient) -> None:
    made = record(120)
    run_pending()
    page = browser.get("/xapi/browser").text
    seen = re.findall(r'/xapi/browser/([0-9a-f-]{36})"', page)
    assert seen[0] == made[-1]
    while (older := re.search(r'href="([^"]+)" rel="next"', page)) is not None:
        page = browser.get(older[1].replace("&amp;", "&")).text
        seen += re.findall(r'/xapi/browser/([0-9a-f-]{36})"', page)
    assert seen == made[::-1]
    oldest = browser.get("/xapi/browser?after=0").text
    assert re.findall(r'/xapi/browser/([0-9a-f-]{36})"', oldest) == made[:50][::-1]
    assert 'rel="next"' not in oldest
    newer = re.search(r'href="([^"]+)" rel="prev"', oldest)
    assert newer is not None
    middle = browser.get(newer[1]).text
    assert re.findall(r'/xapi/browser/([0-9a-f-]{36})"', middle) == made[50:100][::-1]
    newer = re.search(r'href="([^"]+)" rel="prev"', middle)
    assert newer is not None
    # What is left would not fill a page: the newest page it is.
    top = browser.get(newer[1]).text
    assert re.findall(r'/xapi/browser/([0-9a-f-]{36})"', top) == made[:69:-1]


def test_a_person_is_found_by_name_and_named_by_an_opaque_address(
    app: Flask, browser: FlaskClient
) -> None:
    imani, tomasz = make_person("Imani Okafor"), make_person("Tomasz Wrona")
    say(imani)
    say(tomasz)
    run_pending()
    answer = find(browser, who="okafor imani")
    assert answer.location == f"/xapi/browser/person/{imani.uid}"
    words = plain(browser.get(answer.location).text)
    assert "Imani Okafor answered" in words
    assert "Tomasz Wrona answered" not in words


def test_where_a_name_fits_several_it_is_asked_who_is_meant(
    app: Flask, browser: FlaskClient
) -> None:
    ours = make_person("Leila Haddad")
    say(ours)
    run_pending()
    Provider(app).post(statement(actor={**ACTOR, "name": "Leila Haddad"}))
    page = find(browser, who="Leila", voided="y").text
    assert f"person:{ours.uid}" in page
    stranger = f"agent:{find_agent_key(ACTOR)}"
    assert stranger in page
    assert "leila.haddad@example.test" in page
    answer = find(browser, whom=stranger, voided="y")
    assert answer.location == f"/xapi/browser/agent/{find_agent_key(ACTOR)}?voided=yes"
    page = browser.get(answer.location).text
    # A stranger's name never stands alone: what he is really known by stands beside it.
    assert "Leila Haddad leila.haddad@example.test did" in plain(page)
    assert "answered" not in plain(page).partition("Pages")[0].partition("record store")[2]


@pytest.mark.parametrize(
    "typed", ["mailto:leila.haddad@example.test", "LEILA.HADDAD", "tomasz", "a1b2c3d4"]
)
def test_any_agent_is_found_by_what_statements_gave(
    app: Flask, browser: FlaskClient, typed: str
) -> None:
    sha1 = "a1b2c3d4" * 5
    account = {"account": {"homePage": "http://example.test", "name": "tomasz"}}
    Provider(app).post(
        [statement(), statement(actor=account), statement(actor={"mbox_sha1sum": sha1})]
    )
    answer = find(browser, who=typed)
    assert answer.status_code == 302
    assert answer.location.startswith("/xapi/browser/agent/")
    assert plain(browser.get(answer.location).text).count("did “") == 1


@pytest.mark.parametrize("typed", ["account", "homePage", "mbox", "name", "%", "_"])
def test_what_json_calls_things_is_nobodys_name(
    app: Flask, browser: FlaskClient, typed: str
) -> None:
    Provider(app).post(statement(actor={"mbox": "mailto:x@y.test"}))
    answer = find(browser, who=typed)
    assert answer.status_code == 422
    assert "Nobody here, and nobody in a statement" in answer.text


def test_verb_activity_and_time_narrow(app: Flask, browser: FlaskClient) -> None:
    provider = Provider(app)
    other = {"id": "http://example.test/activities/two", "definition": {"name": {"en": "The Sea"}}}
    verb = {"id": "http://example.test/verbs/saw"}
    day = dt.datetime(2026, 11, 20, 23, 30, tzinfo=dt.UTC)
    with clock.travel(day):
        first = provider.post(statement(object=other))[0]
    with clock.travel(day + dt.timedelta(days=2)):
        second = provider.post(statement(object=other, verb=verb))[0]
        third = provider.post(statement(verb=verb))[0]

    def shows(**fields: str) -> list[str]:
        answer = find(browser, **fields)
        assert answer.status_code == 302, answer.text
        page = browser.get(answer.location).text
        return re.findall(r'/xapi/browser/([0-9a-f-]{36})"', page)

    assert shows() == [third, second, first]
    assert shows(thing="the sea") == [second, first]
    assert shows(thing=other["id"]) == [second, first]
    assert shows(verb=digest(verb["id"])) == [third, second]
    assert shows(verb=digest(verb["id"]), thing="sea") == [second]
    assert shows(who="leila", thing="sea", verb=digest(verb["id"])) == [second]
    assert shows(since="2026-11-21") == [third, second]
    assert shows(until="2026-11-21") == [first]
    assert shows(since="2026-11-20", until="2026-11-20") == [first]
    assert find(browser, since="yesterday").status_code == 422
    assert find(browser, thing="the moon").status_code == 422


def test_a_type_is_no_name_of_an_activity(app: Flask, browser: FlaskClient) -> None:
    typed = {"id": "http://example.test/1", "definition": {"type": "http://example.test/zebra"}}
    Provider(app).post(statement(object=typed))
    assert find(browser, thing="zebra").status_code == 422


def test_days_are_the_readers(make_app: Callable[..., Flask]) -> None:
    app = make_app(LMS_TIME_ZONE="Europe/Berlin")
    with app.app_context():
        browser = enter(app, make_person("Jonas Brandt", is_administrator=True))
        with clock.travel(dt.datetime(2026, 11, 20, 23, 30, tzinfo=dt.UTC)):
            made = Provider(app).post(statement())[0]
        assert made in browser.get("/xapi/browser?since=2026-11-21&until=2026-11-21").text
        assert made not in browser.get("/xapi/browser?until=2026-11-20").text
        assert "00:30" in plain(browser.get("/xapi/browser").text)


def test_voided_ones_are_shown_on_demand_and_marked_in_words(
    app: Flask, browser: FlaskClient
) -> None:
    provider = Provider(app)
    gone = provider.post(statement())[0]
    void = {"id": vocabulary.VOIDED.iri}
    by = provider.post(statement(verb=void, object={"objectType": "StatementRef", "id": gone}))[0]
    assert "voided" not in plain(browser.get("/xapi/browser").text).partition(by)[2]
    page = plain(browser.get("/xapi/browser?voided=yes").text)
    assert "leila.haddad@example.test did “http://example.test/activities/one” voided" in page
    assert "leila.haddad@example.test voided “leila.haddad@example.test did" in page
    page = browser.get(f"/xapi/browser/{gone}").text
    assert "Voided: it was taken back" in page
    assert "this voids it" in page
    assert f"/xapi/browser/{by}" in page
    assert f"/xapi/browser/{gone}" in browser.get(f"/xapi/browser/{by}").text


def test_a_group_names_its_members(app: Flask, browser: FlaskClient) -> None:
    members = [{"mbox": f"mailto:m{number}@example.test"} for number in range(5)]
    group = {"objectType": "Group", "name": "Night shift", "member": members}
    made = Provider(app).post(statement(actor=group))[0]
    words = plain(browser.get("/xapi/browser").text)
    assert "Night shift (m0@example.test, m1@example.test, m2@example.test, 2 more) did" in words
    assert "m4@example.test" in browser.get(f"/xapi/browser/{made}").text


def test_one_statement_says_all_and_is_there_word_for_word(
    app: Flask, browser: FlaskClient
) -> None:
    imani = make_person("Imani Okafor")
    made = say(imani, success=True, response="a[,]c")
    assert "waiting" in plain(browser.get(f"/xapi/browser/{made}").text)
    run_pending()
    page = browser.get(f"/xapi/browser/{made}").text
    assert "arrived everywhere" in page
    assert "a[,]c" in page
    assert "&#34;success&#34;: true" in page
    kept = browser.get(f"/xapi/browser/{made}/json")
    assert json.loads(kept.data)["actor"]["account"]["name"] == imani.uid
    assert kept.headers["Content-Disposition"].startswith("attachment")
    missing = "00000000-0000-4000-8000-000000000000"
    assert browser.get(f"/xapi/browser/{missing}").status_code == 404


def test_looking_for_a_person_is_written_down_and_turning_pages_is_not(
    app: Flask, browser: FlaskClient, admin: Person
) -> None:
    imani = make_person("Imani Okafor")
    for _number in range(60):
        say(imani)
    run_pending()

    def lines() -> list[tuple[int | None, str]]:
        found = (
            select(AuditEntry.actor_id, AuditEntry.subject)
            .where(AuditEntry.act == "xapi.statements.searched")
            .order_by(AuditEntry.id)
        )
        return [tuple(row) for row in db.session.execute(found)]

    address = f"/xapi/browser/person/{imani.uid}"
    assert "written to the audit log" in browser.get("/xapi/browser").text
    assert lines() == []
    page = browser.get(address).text
    assert lines() == [(admin.id, f"person/{imani.uid}")]
    older = re.search(r'href="([^"]+)" rel="next"', page)
    assert older is not None
    browser.get(older[1])
    assert len(lines()) == 1
    browser.get(f"{address}?voided=yes")
    assert len(lines()) == 2
    # An address with a cursor in it is no way around the log.
    with clock.travel(clock.now() + dt.timedelta(hours=2)):
        browser.get(older[1])
    assert len(lines()) == 3
    Provider(app).post(statement())
    browser.get(f"/xapi/browser/agent/{find_agent_key(ACTOR)}")
    assert lines()[-1] == (admin.id, f"agent/{find_agent_key(ACTOR)}")


def test_managers_never_get_here(app: Flask, sign_in: Open) -> None:
    boss = make_person("Leila Haddad", is_manager=True)
    imani = make_person("Imani Okafor", boss)
    made = say(imani)
    client = sign_in(boss)
    for path in ("", f"/person/{imani.uid}", f"/{made}", f"/{made}/json"):
        assert client.get(f"/xapi/browser{path}").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["verb=x", "activity='", "since=1", "until=9999-12-31", "before=x", "after=-1",
     f"before={2**63}", "since=2026-02-31", "since=٢٠٢٦-01-01"],
)  # fmt: skip
def test_an_address_that_none_of_ours_is_is_refused(browser: FlaskClient, query: str) -> None:
    assert browser.get(f"/xapi/browser?{query}").status_code == 422


def test_what_nobody_named_is_not_there(browser: FlaskClient) -> None:
    for path in (f"agent/{'0' * 32}", "person/nobody", f"?activity={'0' * 32}"):
        assert browser.get(f"/xapi/browser/{path}".replace("/?", "?")).status_code == 404
    assert browser.get(f"/xapi/browser?verb={'0' * 32}").status_code == 200
    assert find(browser, whom="agent:x").status_code == 404
    assert find(browser, what="x").status_code == 422


def test_without_a_store_what_was_recorded_here_is_shown(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(LMS_LRS_EMBEDDED=False)
    with app.app_context():
        browser = enter(app, make_person("Jonas Brandt", is_administrator=True))
        imani, tomasz = make_person("Imani Okafor"), make_person("Tomasz Wrona")
        made = [say(imani) for _number in range(60)] + [say(tomasz)]
        page = browser.get("/xapi/browser").text
        assert "LMS_LRS_EMBEDDED" in page
        assert "Tomasz Wrona answered" in plain(page)
        location = find(browser, who="imani").location
        page = browser.get(location).text
        assert "Tomasz Wrona answered" not in plain(page)
        older = re.search(r'href="([^"]+)" rel="next"', page)
        assert older is not None
        page = browser.get(older[1]).text
        assert re.findall(r'/xapi/browser/([0-9a-f-]{36})"', page) == made[:10][::-1]
        assert "after=" in page
        oldest = browser.get(f"{location}?after=0").text
        assert re.findall(r'/xapi/browser/([0-9a-f-]{36})"', oldest) == made[:50][::-1]
        assert "Word for word" in browser.get(f"/xapi/browser/{made[0]}").text


def test_the_number_of_queries_does_not_grow(app: Flask, browser: FlaskClient) -> None:
    provider = Provider(app)
    provider.post(statement())
    say(make_person("Imani Okafor"))
    run_pending()
    browser.get("/xapi/browser")
    with counted() as few:
        browser.get("/xapi/browser")
    for number in range(20):
        say(make_person(f"Person {number}"))
        activity = {"id": f"http://example.test/{number}"}
        provider.post(statement(actor={"mbox": f"mailto:p{number}@example.test"}, object=activity))
    run_pending()
    with counted() as many:
        browser.get("/xapi/browser")
    assert len(few) == len(many)
