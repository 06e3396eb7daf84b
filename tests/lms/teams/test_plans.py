"""What the manager's pages ask of the database grows with the team, not with the company."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from courses.paths.enrolment import enrol
from courses.paths.models import Path
from courses.progress.walk import take
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests import databases
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_people, make_person
from tests.plans import work


@dataclasses.dataclass
class Firm:
    """A manager with a team, on two paths of which one is for others alone."""

    boss: Person
    member: Person
    path: Path
    elsewhere: Path


@pytest.fixture
def firm(app: Flask) -> Firm:
    boss = make_person("Greta Halden")
    course = make_course("one")
    path, elsewhere = make_path(course, slug="first"), make_path(course, slug="second")
    team = [make_person(manager=boss) for _ in range(8)]
    enrol(path, [one.id for one in team])
    take(team[0], course)
    db.session.commit()
    run_pending()
    return Firm(boss, team[0], path, elsewhere)


def grow(firm: Firm, count: int) -> None:
    """Add so many colleagues of another department, on both paths."""
    ids = make_people(count, manager=make_person("Otto Fremd"))
    for path in (firm.path, firm.elsewhere):
        enrol(path, ids)
    db.session.commit()
    run_pending()


PAGES = [
    "/team",
    "/team?scope=below",
    "/team?state=done",
    "/team?item=path-first&state=not_started",
    "/team?sort=path-first",
    "/team?sort=due",
    "/team?search=many",
    "/team/team.csv",
    "/team/people/{member}",
    "/",
]


# Of tables as small as in a test PostgreSQL reads all, whatever indexes there are.
@pytest.mark.skipif(databases.KIND == "postgresql", reason="its planner goes by size")
def test_a_managers_pages_cost_the_same_in_a_large_company(
    sign_in: Callable[[Person], FlaskClient], firm: Firm
) -> None:
    browser = sign_in(firm.boss)
    costs: dict[str, list[int]] = {page: [] for page in PAGES}
    for more in (30, 1500):
        grow(firm, more)
        for page in PAGES:
            with work() as done:
                assert browser.get(page.format(member=firm.member.uid)).status_code == 200
            costs[page].append(done.total())
    grown = {
        page: (small, large) for page, (small, large) in costs.items() if large > small * 1.25 + 100
    }
    assert grown == {}
