"""The record store standing alone: `lms` and `xapi` and nothing else, page by page, in process.

`tests/browser/test_alone_served.py` does the same with `ropes serve`, a real client and a real browser.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from certificates.rendering.fit import PANGO
from lms.db import db
from lms.doctor import examine
from lms.jobs.queue import run_pending
from lms.people.models import Person, new_uid
from tests.factories.people import make_person
from tests.xapi.lrs import Provider, statement
from tests.xapi.test_removal import record
from xapi.home_page import check_home_page
from xapi.outbox import stores
from xapi.outbox.models import TargetState

# What there is none of here. "Learning" may be spoken of: it is a learning record store.
NOTHING_OF = re.compile(
    r"\b(courses?|lessons?|certificates?|paths?|networks?|authors?|quiz|missions?|badges?)\b", re.I
)
_UNSEEN = re.compile(r"<(style|script|svg|code|textarea)\b.*?</\1>", re.S)


@pytest.fixture
def alone(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """An installation with xapi alone, and some statements of another system in it."""
    app = make_app(LMS_PLUGINS=("xapi",))
    with app.app_context():
        Provider(app).post([statement() for _ in range(3)])
        yield app


def signed_in(app: Flask, person: Person) -> FlaskClient:
    assert person.identity is not None
    browser = app.test_client()
    with browser.session_transaction() as session:
        session.update(
            {"_user_id": person.identity.fs_uniquifier, "lms_key": new_uid(), "_fresh": True}
        )
        session["fs_paa"] = time.time()
    return browser


def leila(**roles: bool) -> Person:
    person = make_person("Leila Haddad", email="leila@example.test")
    for role, has in roles.items():
        setattr(person, role, has)
    db.session.commit()
    return person


def words_of(page: str) -> str:
    """Return what a page says, without what it is made of."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", _UNSEEN.sub("", page))))


def walk(browser: FlaskClient, start: str = "/") -> dict[str, tuple[int, str]]:
    """Follow every link from a page on; return status and words of each page by its address."""
    seen: dict[str, tuple[int, str]] = {}
    waiting = [start]
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        answer = browser.get(address)
        is_page = answer.content_type.startswith("text/html")
        seen[address] = (answer.status_code, words_of(answer.text) if is_page else "")
        for link in re.findall(r'href="(/[^"#]*)', answer.text) if is_page else ():
            link = html.unescape(link)
            if not link.startswith("/static/") and link not in seen:
                waiting.append(link)
    return seen


@pytest.mark.parametrize(
    "roles",
    [{}, {"is_manager": True}, {"is_administrator": True, "is_manager": True}],
    ids=["ordinary", "manager", "administrator"],
)
def test_every_link_leads_somewhere_and_nothing_speaks_of_what_is_not_here(
    alone: Flask, roles: dict[str, bool]
) -> None:
    pages = walk(signed_in(alone, leila(**roles)))
    assert {address: status for address, (status, _) in pages.items() if status != 200} == {}
    spoken = {address: NOTHING_OF.findall(words) for address, (_, words) in pages.items()}
    # What is held about a person is a table of what there is of them.
    assert {address for address, found in spoken.items() if found} <= {"/me/held"}
    assert set(spoken["/me/held"]) <= {"Author"}
    assert ("/xapi/delivery" in pages) is ("is_administrator" in roles)
    assert len(pages) > (15 if "is_administrator" in roles else 3)


def test_the_first_page_says_what_this_is(alone: Flask) -> None:
    page = signed_in(alone, leila(is_administrator=True)).get("/").text
    assert "It is ready to take statements" in page
    assert "http://localhost/xapi/" in page
    assert 'href="/xapi/credentials"' in page
    assert page.count('class="button"') == 1
    assert "Your team" not in page
    ordinary = make_person("Imani Okafor", email="imani@example.test")
    db.session.commit()
    page = signed_in(alone, ordinary).get("/").text
    assert "Nothing is waiting for you" in page
    assert "/xapi/" not in words_of(page)


def test_the_doctor_sees_that_the_home_page_was_changed(app: Flask) -> None:
    record(leila())
    run_pending()
    assert check_home_page() is None
    app.config["LMS_HOME_PAGE"] = "https://moved.example.test"
    assert "LMS_HOME_PAGE is https://moved.example.test now" in str(check_home_page())


def test_delivery_is_to_others_alone(alone: Flask) -> None:
    """Nothing is delivered to the store that all others come to; what they store goes on."""
    browser = signed_in(alone, leila(is_administrator=True))
    page = words_of(browser.get("/xapi/delivery").text)
    assert "Statements are kept, and sent nowhere" in page
    assert "delivered" not in page
    assert "Nothing has been" not in page
    form = browser.get("/xapi/delivery/new").text
    assert 'name="what"' not in form
    fields = {"label": "Head office", "endpoint": "https://lrs.example.test/", "key": "k",
              "secret": "s", "version": "1.0.3", "but_not": ""}  # fmt: skip
    assert browser.post("/xapi/delivery/new", data=fields).status_code == 302
    args = ["lrs", "target", "add", "Two", "https://two.example.test/", "--key", "k"]
    assert alone.test_cli_runner().invoke(args=[*args, "--secret", "s"]).exit_code == 0
    assert [one.everything for one in stores.list_all()] == [True, True]
    sent = alone.test_cli_runner().invoke(args=["lrs", "target", "send", "two"])
    assert "3 statements are on their way" in sent.output
    page = words_of(browser.get("/xapi/delivery").text)
    assert "Head office" in page
    assert "uilt-in" not in page


def test_beside_others_the_first_page_says_it_only_when_something_is_wrong(app: Flask) -> None:
    browser = signed_in(app, leila(is_administrator=True))
    assert "Record store" not in browser.get("/").text
    db.session.add(TargetState(target="embedded", delivered=0, failures=3, words="disk full"))
    page = browser.get("/").text
    assert "1 record store does not take statements just now" in page
    assert "ready to take statements" not in page


def test_somebody_who_is_not_signed_in_is_asked_to(alone: Flask) -> None:
    answer = alone.test_client().get("/")
    assert answer.headers["Location"] == "/sign-in"
    assert not NOTHING_OF.search(words_of(alone.test_client().get("/sign-in").text))


@pytest.mark.parametrize(("plugins", "kept"), [(("xapi",), True), ((), False)])
def test_a_right_that_is_not_asked_for_is_not_taken(
    make_app: Callable[..., Flask], plugins: tuple[str, ...], kept: bool
) -> None:
    """Where there are no authors the form does not name them, and takes nothing from them."""
    app = make_app(LMS_PLUGINS=plugins)
    with app.app_context():
        person = leila(is_administrator=True, is_author=True)
        browser = signed_in(app, person)
        page = browser.get(f"/people/{person.uid}").text
        assert ('name="author"' in page) is not kept
        browser.post(f"/people/{person.uid}/roles", data={"administrator": "y"})
        db.session.expire_all()
        assert db.session.get_one(Person, person.id).is_author is kept


def test_the_doctor_asks_for_nothing_that_is_not_needed(alone: Flask) -> None:
    found = dict(examine())
    assert not {"drawing", "fonts", "certificates printed"} & found.keys()
    said = " ".join(words for words in found.values() if words)
    assert not NOTHING_OF.search(said)
    assert PANGO[0] not in said
