"""The manager's page at the size of a large company."""

from __future__ import annotations

import gc

from sqlalchemy import text

from lms.db import db
from tests.benchmarks.harness import Place, Result, benchmark, cpu_ms
from tests.factories.company import make_company

PEOPLE, ITEMS = 10_000, 20


@benchmark("lms.team_page", unit="ms CPU", target=300)
def page(place: Place) -> Result:
    """The page of somebody above 10,000 people on 20 real paths, beside one pass over them."""
    app = place.make_app()
    with app.app_context():
        boss = make_company(PEOPLE, ITEMS)
        assert boss.identity is not None
        key = boss.identity.fs_uniquifier
        db.session.rollback()
    gc.collect()
    gc.freeze()  # as wsgi.py does
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = key
    answer = browser.get("/team?scope=below")
    assert answer.status_code == 200
    assert f"of {PEOPLE:,}" in answer.text
    assert "Item 19" in answer.text
    with app.app_context():
        connection = db.engine.connect()
        once = text(
            "SELECT c.id IS NULL, count(*), min(e.due_at) FROM courses_enrolment e"
            " JOIN courses_path p ON p.id = e.path_id"
            " LEFT JOIN courses_completion c"
            " ON c.person_id = e.person_id AND c.target = 'path/' || p.slug GROUP BY 1"
        )
        floor = cpu_ms(lambda: connection.execute(once).all(), times=5, warm_up=1)
        connection.close()
    narrow = "/team?scope=below&state=overdue&sort=due&search=07"
    return Result(
        value=cpu_ms(lambda: browser.get("/team?scope=below"), times=7, warm_up=1),
        floor=floor,
        floor_is="one pass of the database over all enrolments and their completions",
        notes={
            "filtered, searched, sorted by date": cpu_ms(
                lambda: browser.get(narrow), times=5, warm_up=1
            ),
            "CSV of all": cpu_ms(lambda: browser.get("/team/team.csv?scope=below"), 1, 0),
        },
    )
