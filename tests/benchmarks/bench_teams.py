"""The manager's page, for a team and at the size of a large company."""

from __future__ import annotations

import gc

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from lms.db import db
from lms.people.models import Person
from lms.teams import standing
from lms.teams.models import Column
from tests.benchmarks.beside import beside_bare
from tests.benchmarks.harness import Place, Result, benchmark, cpu_ms
from tests.factories.company import make_company

PEOPLE, ITEMS = 10_000, 20
TEAM, TEAM_ITEMS = 20, 8
PASS = (
    "SELECT c.id IS NULL, count(*), min(e.due_at) FROM courses_enrolment e"
    " JOIN courses_path p ON p.id = e.path_id"
    " LEFT JOIN courses_completion c"
    " ON c.person_id = e.person_id AND c.target = 'path/' || p.slug GROUP BY 1"
)


def signed_in(app: Flask, person: Person) -> FlaskClient:
    """Return a browser in which the person is signed in, as a process that serves would find it."""
    assert person.identity is not None
    key = person.identity.fs_uniquifier
    db.session.rollback()
    gc.collect()
    gc.freeze()  # as wsgi.py does
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = key
    return browser


@benchmark("lms.team_of_twenty", unit="ms CPU", target_ratio=20)
def team(place: Place) -> Result:
    """The page of a manager of 20 people on 8 paths, beside requests of bare Flask."""
    app = place.make_app()
    with app.app_context():
        browser = signed_in(app, make_company(TEAM, TEAM_ITEMS))
    assert "Item 7" in browser.get("/team?scope=below").text
    others = {
        "filtered, of the floor": "/team?scope=below&state=overdue&sort=due&search=per",
        "the manager's first page, of the floor": "/",
    }
    notes = {
        what: beside_bare(lambda at=address: browser.get(at)).ratio
        for what, address in others.items()
    }
    return beside_bare(lambda: browser.get("/team?scope=below"), **notes)


@benchmark("lms.team_page", unit="ms CPU", target_ratio=0.1)
def page(place: Place) -> Result:
    """The page of somebody above 10,000 people on 20 real paths, beside one pass over them."""
    app = place.make_app()
    with app.app_context():
        browser = signed_in(app, make_company(PEOPLE, ITEMS))
    answer = browser.get("/team?scope=below")
    assert answer.status_code == 200
    assert "Item 19" in answer.text
    with app.app_context():
        connection = db.engine.connect()
        once = text(PASS)
        floor = cpu_ms(lambda: connection.execute(once).all(), times=5, warm_up=1)
        connection.close()
    narrow = "/team?scope=below&state=overdue&sort=due&search=07"

    def of_floor(address: str, times: int = 5) -> float:
        return cpu_ms(lambda: browser.get(address).get_data(), times, min(1, times - 1)) / floor

    return Result(
        value=cpu_ms(lambda: browser.get("/team?scope=below"), times=7, warm_up=1),
        floor=floor,
        floor_is="one pass of the database over all enrolments and their completions",
        notes={
            "filtered, searched, sorted by date, of the floor": of_floor(narrow),
            "sorted by an item, of the floor": of_floor("/team?scope=below&sort=path-item-3"),
            "CSV of all, of the floor": of_floor("/team/team.csv?scope=below", times=1),
            "building all anew, of the floor": _build_ms(app) / floor,
        },
    )


def _build_ms(app: Flask) -> float:
    with app.app_context():
        db.session.query(Column).update({"reached": 0})
        db.session.commit()
        return cpu_ms(standing.build, times=1, warm_up=0)
