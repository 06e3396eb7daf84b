"""The manager's page: who needs me, who is fine, and why."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from itertools import chain

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from courses.paths.enrolment import enrol
from courses.paths.models import Path
from lms.db import db
from lms.people.models import Identity, Person
from lms.plugin import CellState
from lms.teams import export, rules
from lms.teams.columns import all_columns, table_columns
from lms.teams.export import ROWS_AT_ONCE, neutral, stream_rows
from lms.teams.query import Scope, TeamQuery
from lms.teams.services import PAGE_ROWS, Row, build_page, scopes_of
from tests.factories.company import make_company
from tests.factories.people import make_person, make_unit
from tests.factories.teams import FakeColumn, add_columns, set_cells
from tests.lms.teams.conftest import Team, days
from tests.queries import counted
from tests.reading import sentences

SignIn = Callable[[Person], FlaskClient]


def names(app: Flask, viewer: Person, **wish: object) -> list[str]:
    with app.test_request_context():
        scopes = scopes_of(viewer)
        query = TeamQuery(**{"scope": scopes[0], **wish})  # type: ignore[arg-type]
        return [row.name for row in build_page(viewer, query, table_columns(all_columns())).rows]


def test_the_page_opens_with_who_needs_the_manager(sign_in: SignIn, team: Team) -> None:
    page = sign_in(team.manager).get("/team").text
    assert "Two people need you" in page
    assert "Monday 23 November" in page
    assert re.search(r"<b>2 of 4</b><span>on track or done", page)
    assert re.search(r'<b class="late">2</b><span>overdue', page)
    assert re.search(r"<b>1</b><span>hold a certificate", page)


def test_each_cell_says_its_state_in_words(sign_in: SignIn, team: Team) -> None:
    page = sign_in(team.manager).get("/team").text
    for words in (
        "overdue 4 days, 2 of 9",
        "overdue 1 day",
        "on track, 4 of 9",
        "not started",
        "not asked",
        "not yet",
        "19 November",
    ):
        assert words in page, words
    assert "Answer colleagues" not in page


def test_those_who_need_the_manager_come_first(app: Flask, team: Team) -> None:
    assert names(app, team.manager) == [
        "Tomasz Wrona",
        "Leila Haddad",
        "Imani Okafor",
        "Jonas Brandt",
    ]


def test_direct_reports_or_all_below(app: Flask, team: Team) -> None:
    assert "Aiko Mori" not in names(app, team.manager)
    assert "Aiko Mori" in names(app, team.manager, scope=Scope.BELOW)
    assert "Otto Fremd" not in names(app, team.manager, scope=Scope.BELOW)


def test_an_administrator_sees_everyone_and_a_manager_cannot_ask_for_that(
    app: Flask, team: Team, sign_in: SignIn
) -> None:
    chief = make_person("Ada Admin", is_administrator=True)
    assert "Otto Fremd" in names(app, chief, scope=Scope.EVERYONE)
    assert "Otto Fremd" not in sign_in(team.manager).get("/team?scope=everyone").text


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"state": "overdue"}, ["Tomasz Wrona", "Leila Haddad"]),
        ({"state": "fine"}, ["Imani Okafor", "Jonas Brandt"]),
        ({"state": "done"}, ["Jonas Brandt"]),
        ({"state": "on_track"}, ["Imani Okafor"]),
        ({"state": "due"}, []),
        ({"item": "courses.privacy"}, ["Tomasz Wrona", "Leila Haddad", "Jonas Brandt"]),
        ({"item": "courses.privacy", "state": "done"}, ["Jonas Brandt"]),
        ({"item": "certificates.connected", "state": "done"}, ["Jonas Brandt"]),
        ({"state": "held"}, ["Jonas Brandt"]),
        ({"search": "oka"}, ["Imani Okafor"]),
        ({"search": "%"}, []),
        ({"sort": "name"}, ["Jonas Brandt", "Leila Haddad", "Imani Okafor", "Tomasz Wrona"]),
        ({"sort": "-name"}, ["Tomasz Wrona", "Imani Okafor", "Leila Haddad", "Jonas Brandt"]),
        ({"sort": "due"}, ["Tomasz Wrona", "Leila Haddad", "Imani Okafor", "Jonas Brandt"]),
        ({"sort": "-due"}, ["Imani Okafor", "Leila Haddad", "Tomasz Wrona", "Jonas Brandt"]),
        (
            {"sort": "courses.first-30-days"},
            ["Tomasz Wrona", "Imani Okafor", "Jonas Brandt", "Leila Haddad"],
        ),
    ],
    ids=str,
)
def test_filters_and_orders(
    app: Flask, team: Team, wish: dict[str, object], expected: list[str]
) -> None:
    assert names(app, team.manager, **wish) == expected


def test_filter_by_unit_takes_the_units_inside(app: Flask, team: Team) -> None:
    plant = make_unit("Plant")
    hall = make_unit("Hall 3", parent=plant)
    team.imani.unit_id, team.leila.unit_id = hall.id, plant.id
    db.session.commit()
    assert names(app, team.manager, unit=plant.uid) == ["Leila Haddad", "Imani Okafor"]
    assert names(app, team.manager, unit=hall.uid) == ["Imani Okafor"]
    assert names(app, team.manager, unit="nothing") == []


def test_an_address_that_makes_no_sense_shows_the_plain_page(sign_in: SignIn, team: Team) -> None:
    answer = sign_in(team.manager).get(
        "/team?state=nonsense&item=none&sort=drop&page=-1&scope=x&unit=%27%20or%201"
    )
    assert answer.status_code == 200


def test_somebody_inactive_is_left_out(app: Flask, team: Team) -> None:
    team.tomasz.active = False
    db.session.commit()
    assert "Tomasz Wrona" not in names(app, team.manager)


def test_nobody_reports_to_me(sign_in: SignIn, team: Team) -> None:
    page = sign_in(make_person("Nina Neu", is_manager=True)).get("/team").text
    assert "Nobody reports to you yet" in page


def test_a_suite_without_columns_still_counts_people(
    app: Flask, sign_in: SignIn, team: Team
) -> None:
    add_columns(app)
    page = sign_in(team.manager).get("/team").text
    assert "Nothing is asked of your people yet" in page
    assert sign_in(team.manager).get(f"/team/people/{team.imani.uid}").status_code == 200


def test_learners_have_no_such_page(sign_in: SignIn, team: Team) -> None:
    assert sign_in(team.imani).get("/team").status_code == 404
    assert sign_in(team.imani).get("/team/team.csv").status_code == 404


def read(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_the_file_equals_the_screen(sign_in: SignIn, team: Team) -> None:
    browser = sign_in(team.manager)
    rows = read(browser.get("/team/team.csv").text)
    assert rows[0] == [
        "Person",
        "First 30 days",
        "Privacy on the network",
        "Certificate",
        "Next due",
    ]
    assert rows[1] == [
        "Tomasz Wrona", "overdue 4 days, 2 of 9", "not started", "not yet", "19 November",
    ]  # fmt: skip
    assert [row[0] for row in rows[1:]] == [
        "Tomasz Wrona",
        "Leila Haddad",
        "Imani Okafor",
        "Jonas Brandt",
    ]
    narrow = read(browser.get("/team/team.csv?state=overdue&sort=-name").text)
    assert [row[0] for row in narrow[1:]] == ["Tomasz Wrona", "Leila Haddad"]
    page = browser.get("/team?state=overdue&sort=-name").text
    for row in narrow[1:]:
        for cell in row:
            assert cell in page


def test_the_file_holds_all_pages(app: Flask, sign_in: SignIn) -> None:
    column = FakeColumn("fake.one", "One")
    add_columns(app, column)
    boss = crowd(column, PAGE_ROWS * 2 + 1)
    page = sign_in(boss).get("/team").text
    assert page.count('<th scope="row">') == PAGE_ROWS
    assert "Page 1 of 3" in page
    assert sign_in(boss).get("/team?page=99").text.count('<th scope="row">') == 1
    assert len(read(sign_in(boss).get("/team/team.csv?page=2").text)) == PAGE_ROWS * 2 + 2


def test_the_file_is_read_while_it_is_sent_and_keeps_nobody_from_writing(
    app: Flask, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 2)
    with app.test_request_context():
        columns, rows = stream_rows(team.manager, TeamQuery(), table_columns(all_columns()))
        db.session.rollback()
        with counted() as before:
            first = next(rows)
        assert team.jonas.identity is not None
        team.jonas.identity.display_name = "Renamed Meanwhile"
        db.session.commit()
        with counted() as after:
            rest = list(rows)
    assert len(columns) == 3
    assert [row.name for row in first] == ["Tomasz Wrona", "Leila Haddad"]
    # One reading transaction: the file is of one moment.
    assert [row.name for some in rest for row in some] == ["Imani Okafor", "Jonas Brandt"]
    assert (len(before), len(after)) == (2, 1)  # the people once, cells with each part


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0=", " =", "＝"])
def test_no_cell_of_the_file_is_a_formula(start: str) -> None:
    said = neutral(start + "cmd|' /C calc'!A0")
    assert said.startswith("'")
    assert "\0" not in said


def test_a_name_that_is_a_formula_is_text_in_the_file(sign_in: SignIn, team: Team) -> None:
    assert team.imani.identity is not None
    team.imani.identity.display_name = '=HYPERLINK("http://elsewhere.test")'
    db.session.commit()
    rows = read(sign_in(team.manager).get("/team/team.csv?search=HYPER").text)
    assert rows[1][0] == '\'=HYPERLINK("http://elsewhere.test")'


def crowd(column: FakeColumn, people: int) -> Person:
    """Make a manager with that many reports, most of them behind."""
    boss = make_person("Greta Halden", is_manager=True)
    states = [CellState.OVERDUE, CellState.DONE, CellState.ON_TRACK, CellState.DUE]
    made = [
        Person(manager_id=boss.id, identity=Identity(display_name=f"Many {n}"))
        for n in range(people)
    ]
    db.session.add_all(made)
    db.session.flush()
    set_cells(
        [(column.slug, one.id, states[n % 4], 1, days(n % 9 - 4)) for n, one in enumerate(made)]
    )
    return boss


@pytest.mark.parametrize("path", ["/team", "/team?state=overdue&sort=due", "/team/team.csv", "/"])
def test_the_number_of_queries_does_not_depend_on_how_many(
    app: Flask, sign_in: SignIn, path: str
) -> None:
    column = FakeColumn("fake.one", "One")
    add_columns(app, column)
    seen: list[int] = []
    for people in (10, 1000):
        browser = sign_in(crowd(column, people))
        with counted() as queries:
            assert browser.get(path).data
        seen.append(len(queries))
    more = -(-1000 // ROWS_AT_ONCE) - 1 if ".csv" in path else 0  # a file is read some at a time
    assert seen[0] + more == seen[1], queries
    assert seen[0] <= 12, queries


def test_many_columns_are_kept_and_read_back(app: Flask, team: Team) -> None:
    columns = [FakeColumn(f"fake.{n}", f"Item {n}") for n in range(21)]
    add_columns(app, *columns)
    order = [state for state in CellState if state != CellState.NONE]
    set_cells(
        [
            (one.slug, team.imani.id, order[n % len(order)], None, None)
            for n, one in enumerate(columns)
        ]
    )
    with app.test_request_context():
        page = build_page(team.manager, TeamQuery(), table_columns(all_columns()))
        assert [column.slug for column in page.columns] == [column.slug for column in columns]
        row = next(row for row in page.rows if row.name == "Imani Okafor")
        assert [cell.state for cell in row.cells] == [
            order[n % len(order)] for n in range(len(columns))
        ]
        found = build_page(
            team.manager,
            TeamQuery(item="fake.20", state="not_started"),
            table_columns(all_columns()),
        )
        assert found.matches == (1 if order[20 % len(order)] == CellState.NOT_STARTED else 0)
        assert page.overdue == 1


def test_real_paths_in_numbers_and_rows_agree(app: Flask, sign_in: SignIn) -> None:
    """More paths than one query reads; the numbers come from one pass, the rows from each path."""
    boss = make_company(40, 23)
    make_person("Aiko Mori", boss)  # on no path: must be counted all the same
    query = TeamQuery(scope=Scope.BELOW)
    with app.test_request_context():
        page = build_page(boss, query, table_columns(all_columns()))
        columns, some = stream_rows(boss, query, table_columns(all_columns()))
        rows = list(chain.from_iterable(some))
        assert len(columns) == 23
        assert page.people == len(rows) == 41
        judged = Counter(rules.judge([cell.state for cell in row.cells]) for row in rows)
        assert page.counts == judged
        assert judged[CellState.NONE] == 1
        assert [row.name for row in page.rows] == [row.name for row in rows[:PAGE_ROWS]]
        by_due: list[Row] = list(
            chain.from_iterable(
                stream_rows(
                    boss, TeamQuery(scope=Scope.BELOW, sort="due"), table_columns(all_columns())
                )[1]
            )
        )
        dues = [row.next_due for row in by_due if row.next_due is not None]
        assert dues == sorted(dues)
    seen = []
    for more in (0, 400):
        put_on_paths(boss, more)
        with counted() as queries:
            assert sign_in(boss).get("/team?scope=below").status_code == 200
        seen.append(len(queries))
    assert seen[0] == seen[1]


def put_on_paths(boss: Person, count: int) -> None:
    """Put so many more people below a manager, and on every path."""
    made = [
        Person(manager_id=boss.id, identity=Identity(display_name=f"More {n}"))
        for n in range(count)
    ]
    db.session.add_all(made)
    db.session.flush()
    for path in db.session.scalars(select(Path)):
        enrol(path, [one.id for one in made])
    db.session.commit()


def test_the_people_of_a_leader_below_and_of_nobody_else(sign_in: SignIn, team: Team) -> None:
    team.jonas.is_manager = True
    db.session.commit()
    browser = sign_in(team.manager)
    person = browser.get(f"/team/people/{team.jonas.uid}").text
    assert f"scope=below&amp;leader={team.jonas.uid}" in person
    wish = f"scope=below&leader={team.jonas.uid}"
    page = browser.get(f"/team?{wish}").text
    assert "Among the people of Jonas Brandt" in sentences(page)
    assert "Aiko Mori" in page
    assert "Tomasz Wrona" not in page
    assert f"leader={team.jonas.uid}" in page.split("Download this table")[0][-200:]
    table = browser.get(f"/team/team.csv?{wish}").text
    assert "Aiko Mori" in table
    assert "Tomasz Wrona" not in table
    own = browser.get(f"/team?leader={team.stranger.uid}").text  # as if it were not there
    assert "Tomasz Wrona" in own
    assert "Otto Fremd" not in own
    chief = sign_in(make_person("Ada Admin", is_administrator=True))
    assert 'aria-current="true">All below Jonas Brandt' in sentences(
        chief.get(f"/team?{wish}").text
    )
    above = sign_in(team.jonas).get(f"/team?scope=below&leader={team.manager.uid}").text
    assert "Aiko Mori" in above
    assert "Leila Haddad" not in above


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ("state=due", "Nobody of these people is in that state"),
        ("search=zzz", "None of these people is called “zzz”"),
        ("search=zzz&state=done", "Leave something out"),
        ("unit=nowhere", "Leave something out"),
    ],
)
def test_who_finds_nobody_is_told_why(sign_in: SignIn, team: Team, wish: str, says: str) -> None:
    assert says in sign_in(team.manager).get(f"/team?{wish}").text
