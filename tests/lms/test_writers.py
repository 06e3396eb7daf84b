"""Who may write, and when: a request becomes the writer where it writes, and nothing slow is done then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update

from certificates.rendering import pdf
from courses.blocks import markdown
from courses.catalogue import media
from courses.exchange import course_text, folder
from lms import writers
from lms.audit import AuditEntry, note
from lms.db import begin_writing, db, keep_so_far, transaction
from lms.people import joining
from lms.people.access import Who, allow
from lms.people.exchange import read
from lms.people.models import Identity, JoinLink, Person
from lms.people.security import hashed, matches
from lms.people.views import me
from lms.writers import CostlyWhileWriting, outside_writing
from tests import databases
from tests.elsewhere import elsewhere, others_may_write
from tests.factories.people import make_person
from xapi.lrs import reading

PASSWORD = "three harbour gulls"
on_sqlite = pytest.mark.skipif(databases.KIND != "sqlite", reason="PostgreSQL has many writers")


@pytest.fixture
def ask(app: Flask) -> Callable[[Callable[[], Any]], str]:
    """A function that runs a view of the test's own, and returns what it answered."""

    def run(view: Callable[[], Any]) -> str:
        app._got_first_request = False
        declared = allow(Who.PUBLIC, reason="a test's own page")(lambda: str(view()))
        app.add_url_rule("/try", "try", declared, methods=["POST"])
        answer = app.test_client().post("/try")
        assert answer.status_code == 200, answer.text
        return answer.text

    return run


WRITES: dict[str, Callable[[], Any]] = {
    "an INSERT": lambda: (note("test.act", "test/1"), db.session.flush()),
    "an UPDATE": lambda: db.session.execute(update(Person).values(job_role="driver")),
    "a savepoint": lambda: (db.session.begin_nested(), db.session.scalar(select(Person.id))),
    "FOR UPDATE": lambda: db.session.scalar(select(Person.id).with_for_update()),
    "a service that says so": begin_writing,
}


@on_sqlite
@pytest.mark.parametrize("how", WRITES)
def test_a_request_keeps_others_waiting_from_its_first_write_on(
    ask: Callable[[Callable[[], Any]], str], how: str
) -> None:
    make_person()

    def view() -> Any:
        db.session.scalar(select(Person.id))
        before = others_may_write()
        WRITES[how]()
        return before, others_may_write()

    assert ask(view) == "(True, False)"


@on_sqlite
def test_a_request_that_writes_nothing_keeps_nobody_waiting(
    ask: Callable[[Callable[[], Any]], str],
) -> None:
    person_id = make_person(job_role="driver").id

    def view() -> Any:
        person = db.session.get_one(Person, person_id)
        person.job_role = "driver"  # as it was
        db.session.flush()
        return others_may_write()

    assert ask(view) == "True"


@on_sqlite
def test_what_others_wrote_meanwhile_is_read_again_by_the_writer(
    ask: Callable[[Callable[[], Any]], str],
) -> None:
    person_id = make_person(job_role="driver").id

    def view() -> Any:
        person = db.session.get_one(Person, person_id)
        before = person.job_role
        elsewhere(update(Person).values(job_role="people manager"))
        begin_writing()
        return before, person.job_role

    assert ask(view) == "('driver', 'people manager')"


def test_what_was_kept_so_far_stays_and_others_may_write(
    ask: Callable[[Callable[[], Any]], str],
) -> None:
    def view() -> Any:
        note("test.act", "test/1")
        keep_so_far()
        outside_writing("rendering a page")
        note("test.act", "test/2")
        db.session.flush()
        db.session.rollback()
        return "done"

    ask(view)
    assert db.session.scalars(select(AuditEntry.subject)).all() == ["test/1"]


DOORS: dict[str, Callable[[], Any]] = {
    "a password's hash": lambda: hashed(PASSWORD),
    "a password that is compared": lambda: matches(PASSWORD, None),
    "Markdown that is rendered": lambda: markdown.render("text", {}),
    "Markdown that is looked through": lambda: markdown.pictures("![a](media/a.png)"),
    "a picture": lambda: media.reencode(b""),
    "a zip file": lambda: folder.read_zip(b""),
    "a course's text": lambda: course_text.parse_course({}),
    "a file of people": lambda: read.read(b""),
    "JSON of other systems": lambda: reading.read_json(b"{}"),
    "a page that is set": lambda: pdf.render("", b"", 1),
}


@pytest.mark.parametrize("what", DOORS)
def test_what_takes_its_time_is_not_done_by_a_writer(app: Flask, what: str) -> None:
    def write() -> None:
        with transaction():
            db.session.execute(text("SELECT 1"))
            DOORS[what]()

    with pytest.raises(CostlyWhileWriting):
        write()


def test_an_installation_says_once_what_it_does_as_a_writer(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "strict", False)
    for _ in range(2):
        with transaction():
            db.session.execute(text("SELECT 1"))
            hashed(PASSWORD)
    said = [one.message for one in caplog.records if one.name == "lms.writers"]
    assert said == ["hashing a password inside a write transaction: others wait for it"]


def out(person: Person) -> dict[str, Any]:
    """The ways in which somebody is out from now on."""
    return {
        "suspended": update(Person).where(Person.id == person.id).values(active=False),
        "signed out everywhere": update(Identity)
        .where(Identity.person_id == person.id)
        .values(fs_uniquifier="another"),
    }


@pytest.mark.parametrize("how", ["suspended", "signed out everywhere"])
def test_who_is_out_meanwhile_writes_nothing_more(
    app: Flask,
    sign_in: Callable[[Person], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    person = make_person()
    browser = sign_in(person)
    statement = out(person)[how]

    def hash_while_it_happens(password: str) -> str:
        elsewhere(statement)
        return "a hash"

    monkeypatch.setattr(me, "hashed", hash_while_it_happens)
    answer = browser.post("/me/password", data={"password": PASSWORD})
    assert answer.status_code == 401
    assert "signed out meanwhile" in answer.text
    db.session.expire_all()
    assert person.identity is not None
    assert person.identity.password is None


def test_who_lost_the_role_meanwhile_writes_nothing_more(
    app: Flask, sign_in: Callable[[Person], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person(is_administrator=True)
    make_person(is_administrator=True)
    browser = sign_in(person)
    plain = joining.make_link

    def make_while_it_happens(*args: Any, **more: Any) -> JoinLink:
        elsewhere(update(Person).where(Person.id == person.id).values(is_administrator=False))
        return plain(*args, **more)

    monkeypatch.setattr(joining, "make_link", make_while_it_happens)
    answer = browser.post("/people/links/", data={"days": "3", "most_uses": "2", "unit": ""})
    assert answer.status_code in (404, 422)
    assert db.session.scalar(select(JoinLink.id)) is None
