"""What pages cost the database with everything that ships in force: real paths, rules, courses, acts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from certificates.catalogue import load_library as load_certificates
from courses.blocks.content import get_content
from courses.catalogue.services import get_course
from courses.exchange.library import load_library as load_courses
from courses.paths.enrolment import enrol_by_rule
from courses.progress.services import answer, move_on, start
from courses.progress.walk import right_answer, take
from esn.models import Usage
from lms import clock
from lms.db import db, transaction
from lms.events import PeopleChanged, publish
from lms.jobs.queue import run_pending
from lms.people.models import Person
from lms.teams.export import ROWS_AT_ONCE
from tests.factories.esn import act, deliver, make_connector
from tests.factories.people import make_people, make_person
from tests.queries import counted

SignIn = Callable[[Person], FlaskClient]
LESSON_QUERIES_MAX = 8


@pytest.fixture
def house(app: Flask) -> None:
    assert load_courses().refused == {}
    with transaction():
        load_certificates()


@pytest.mark.usefixtures("house")
def test_every_card_of_a_shipped_course_costs_eight_queries_at_most(
    app: Flask, sign_in: SignIn
) -> None:
    person = make_person("Imani Okafor", hired_on=clock.today())
    enrol_by_rule()
    browser = sign_in(person)
    course = get_course("ask-a-question-that-gets-an-answer")
    attempt = start(person, course)
    content = get_content(attempt.version_id)
    db.session.commit()
    kinds = set()
    while attempt.finished_at is None:
        card_id = attempt.card_id
        lesson = next(
            one.id for one in content.document.lessons if card_id in [c.id for c in one.cards]
        )
        address = f"/courses/{course.slug}/{lesson}/{card_id}"
        looks = [address]
        if content.asks(card_id):
            answer(person, attempt, card_id, right_answer(content.cards[card_id]))
            db.session.commit()
            looks.append(address)  # once more, with its feedback
        for look in looks:
            with counted() as queries:
                assert browser.get(look).status_code == 200
            assert len(queries) <= LESSON_QUERIES_MAX, (look, queries)
        kinds.add(content.cards[card_id].type)
        move_on(person, attempt, card_id)
        db.session.commit()
    assert kinds == {"text", "choice", "mission"}


def fill(boss: Person, count: int) -> None:
    """Put so many people below a manager, on their paths, some of them active in the network."""
    ids = make_people(count, boss, hired_on=clock.today(), job_role="driver")
    publish(PeopleChanged(frozenset(ids)))
    db.session.commit()
    enrol_by_rule()
    one = db.session.get_one(Person, ids[0])
    take(one, get_course("why-we-have-a-network"))
    db.session.commit()
    run_pending()
    some = db.session.query(Usage).first()
    assert some is not None
    fields = {
        column.name: getattr(some, column.key)
        for column in Usage.__table__.columns
        if column.name not in ("id", "event_key", "person_id", "account_id")
    }
    rows = [
        {**fields, "account_id": some.account_id, "person_id": person_id, "event_key": f"k{person_id}"}
        for person_id in ids
    ]  # fmt: skip
    db.session.execute(insert(Usage), rows)
    db.session.commit()


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize(
    "path",
    [
        "/team",
        "/team?scope=below&page=2",
        "/team?scope=below&state=overdue&sort=due",
        "/team?scope=below&state=held",
        "/team/team.csv?scope=below",
        "/",
    ],
)
def test_the_managers_page_asks_as_much_for_ten_as_for_a_thousand(
    app: Flask, client: FlaskClient, sign_in: SignIn, path: str
) -> None:
    make_person("Somebody Linked", email="linked@example.test")
    connector, secret = make_connector()
    account = {"id": "u1", "email": "linked@example.test"}
    assert deliver(client, connector, secret, [act("u1", recipient="u2")], [account]).status_code
    run_pending()
    seen = []
    for count in (3, 10, 1000):
        boss = make_person(f"Greta Halden {count}", job_role="people manager")
        fill(boss, count)
        browser = sign_in(boss)
        with counted() as queries:
            answer_ = browser.get(path)
            assert answer_.status_code == 200
            assert answer_.data
        if path == "/team":
            for title in ("First 30 days", "Connected Colleague"):
                assert title in answer_.text
        seen.append(len(queries))
    more = -(-1000 // ROWS_AT_ONCE) - 1 if ".csv" in path else 0  # a file is read some at a time
    assert seen[1] + more == seen[2], queries  # the first fills what is read once a process
