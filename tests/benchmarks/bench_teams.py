"""The manager's page at the size of a large company."""

from __future__ import annotations

import datetime as dt
import gc
import random

from flask import Flask
from sqlalchemy import text

from lms import clock
from lms.db import db
from lms.people.models import Identity, Person
from lms.plugin import CellState
from tests.benchmarks.harness import Place, Result, benchmark, wall_ms
from tests.factories.people import make_person
from tests.factories.teams import FakeColumn, add_columns, set_cells

PEOPLE, ITEMS, SPAN, SEED = 10_000, 20, 8, 7


@benchmark("lms.team_page", unit="ms", target=300)
def page(place: Place) -> Result:
    """The page of somebody above 10,000 people with 20 items each, beside one pass over the cells."""
    app = place.make_app()
    with app.app_context():
        key = _a_company(app)
    gc.collect()
    gc.freeze()  # as wsgi.py does
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = key
    answer = browser.get("/team?scope=below")
    assert answer.status_code == 200
    assert f"of {PEOPLE:,}" in answer.text
    with app.app_context():
        connection = db.engine.connect()
        once = text("SELECT state, count(*), min(due_at) FROM fake_cell GROUP BY state")
        floor = wall_ms(lambda: connection.execute(once).all(), times=7, warm_up=1)
        connection.close()
    narrow = "/team?scope=below&state=overdue&sort=due&search=07"
    return Result(
        value=wall_ms(lambda: browser.get("/team?scope=below"), times=7, warm_up=1),
        floor=floor,
        floor_is="one pass of the database over the same cells",
        notes={
            "filtered, searched, sorted by date": wall_ms(
                lambda: browser.get(narrow), times=5, warm_up=1
            ),
            "CSV of all": wall_ms(lambda: browser.get("/team/team.csv?scope=below"), 1, 0),
        },
    )


def _a_company(app: Flask) -> str:
    """Fill the database; return the key of the session of somebody above everyone."""
    columns = [FakeColumn(f"fake.{n}", f"Item {n}", total=9) for n in range(ITEMS)]
    dice = random.Random(SEED)
    add_columns(app, *columns)
    boss = make_person("Greta Halden")
    boss.is_manager = True
    people = [Person(is_manager=n * SPAN + 1 < PEOPLE) for n in range(PEOPLE)]
    db.session.add_all(people)
    db.session.flush()
    for n, one in enumerate(people):
        one.manager_id = boss.id if n == 0 else people[(n - 1) // SPAN].id
        name = f"Person {n:05}"
        one.identity = Identity(display_name=name, given_name="Person", sort_name=name)
    states = [state for state in CellState if state not in (CellState.NONE, CellState.MET)]
    now = clock.now()
    for column in columns:
        set_cells(
            (column.slug, one.id, dice.choice(states), dice.randrange(9),
             now + dt.timedelta(days=dice.randrange(-9, 60)))
            for one in people
        )  # fmt: skip
    assert boss.identity is not None
    key = boss.identity.fs_uniquifier
    db.session.commit()
    return key
