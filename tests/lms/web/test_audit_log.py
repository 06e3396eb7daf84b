"""The page of the audit log: who did what, found, read and saved; by administrators, and noted."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from lms import audit, clock
from lms.audit import AuditEntry
from lms.db import db
from lms.people import services
from lms.people.erasing import erase
from lms.people.models import Person
from lms.web.audit_log import PAGE_ROWS, Filters, find
from tests.factories.people import make_person
from tests.queries import counted

SignIn = Callable[[Person], FlaskClient]


@pytest.fixture
def admin(app: Flask) -> Person:
    return make_person("Jonas Brandt", is_administrator=True)


@pytest.fixture
def browser(sign_in: SignIn, admin: Person) -> FlaskClient:
    return sign_in(admin)


def fill(count: int, by: Person | None = None) -> None:
    """Write lines, an hour apart, the newest now."""
    now = clock.now()
    for number in range(count):
        with clock.travel(now - dt.timedelta(hours=count - 1 - number)):
            audit.note("courses.published", f"course/c{number}", by.id if by else None, version=1)
    db.session.commit()


def acts() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))


def rows(page: str) -> list[str]:
    """Return the lines of the page, without markup."""
    log = page.partition('<ul class="audit"')[2].partition("</ul>")[0]
    return [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip()
        for row in re.findall(r"<li>(.*?)</li>", log, re.DOTALL)
    ]


def test_a_line_says_who_did_what_to_whom(browser: FlaskClient, admin: Person) -> None:
    leila = make_person("Leila Haddad")
    services.set_roles(leila, author=True, administrator=False, by=admin)
    audit.note("xapi.export.taken", "export/command-line")
    db.session.commit()
    newest, before = rows(browser.get("/audit").text)[:2]
    assert newest.startswith("File of statements taken File of statements: command-line")
    assert "By whom: Ropes itself, or the command line" in newest
    assert before.startswith(
        "Rights changed Person: Leila Haddad author: yes · administrator: no By whom: Jonas Brandt"
    )


def test_an_act_that_nobody_knows_any_more_is_shown_by_its_name(browser: FlaskClient) -> None:
    """Of a plugin that was taken away."""
    audit.note("badges.issued", "badge/one")
    db.session.commit()
    assert rows(browser.get("/audit").text)[0].startswith("badges.issued badge: one")


def test_somebody_who_was_erased_has_no_name_here(browser: FlaskClient, admin: Person) -> None:
    leila = make_person("Leila Haddad")
    uid = leila.uid
    services.set_active(leila, active=False, by=admin)
    erase(leila, admin)
    db.session.commit()
    page = browser.get("/audit").text
    assert "Leila" not in page
    assert uid in page


def test_nobody_else_opens_it(app: Flask, sign_in: SignIn) -> None:
    boss = make_person("Greta Halden", is_manager=True, is_author=True)
    make_person("Aiko Mori", boss)
    for path in ("/audit", f"/audit/person/{boss.uid}"):
        assert sign_in(boss).get(path).status_code == 404
    assert sign_in(boss).post("/audit/file").status_code == 404
    assert acts() == []


def test_nothing_on_it_can_be_changed(app: Flask) -> None:
    writing = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/audit") and (rule.methods or set()) & {"POST", "PUT", "DELETE"}
    }
    assert writing == {
        "/audit/find",
        "/audit/file",
    }  # a search, and a file: each adds lines at most


def test_looking_for_a_person_is_a_line_of_its_own(browser: FlaskClient, admin: Person) -> None:
    leila = make_person("Leila Haddad")
    fill(PAGE_ROWS + 5, by=leila)
    found = browser.post("/audit/find", data={"who": "haddad"})
    assert found.location == f"/audit/person/{leila.uid}"
    assert "audit.searched" not in acts()
    page = browser.get(found.location).text
    assert acts()[-1] == "audit.searched"
    older = re.search(r'href="([^"]+)" rel="next"', page)
    assert older is not None
    browser.get(older[1].replace("&amp;", "&"))  # turning the page is no search
    assert acts().count("audit.searched") == 1
    browser.get("/audit")
    assert acts().count("audit.searched") == 1
    noted = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert noted is not None
    assert (noted.subject, noted.actor_id) == (f"person/{leila.uid}", admin.id)


def test_what_somebody_did_and_what_was_done_to_them(browser: FlaskClient, admin: Person) -> None:
    leila, aiko = make_person("Leila Haddad"), make_person("Aiko Mori")
    audit.note("people.roles", f"person/{leila.uid}", admin.id)
    audit.note("courses.created", "course/c", leila.id)
    audit.note("people.roles", f"person/{aiko.uid}", admin.id)
    db.session.commit()
    found = rows(browser.get(f"/audit/person/{leila.uid}").text)
    assert [one.split()[0] for one in found] == ["Audit", "Course", "Rights"]


def test_a_name_that_fits_several_is_asked_about(browser: FlaskClient) -> None:
    make_person("Leila Haddad")
    make_person("Leila Sanders")
    page = browser.post("/audit/find", data={"who": "leila", "act": "people.roles"}).text
    assert "Whom do you mean?" in page
    assert page.count("?act=people.roles") == 2
    nobody = browser.post("/audit/find", data={"who": "zzz"})
    assert nobody.status_code == 422
    assert "Nobody here is known by that." in nobody.text


def test_it_is_narrowed_by_act_day_and_subject(browser: FlaskClient) -> None:
    fill(60)
    audit.note("courses.put_away", "course/c59")
    db.session.commit()
    put_away = browser.post("/audit/find", data={"act": "courses.put_away"}).location
    assert len(rows(browser.get(put_away).text)) == 1
    assert len(rows(browser.get("/audit?subject=course/c59").text)) == 2
    day = (clock.now() - dt.timedelta(days=1)).date()
    narrowed = browser.get(f"/audit?since={day}&until={day}").text
    assert len(rows(narrowed)) == 24
    for wrong in (
        "since=x",
        "before=x",
        "before=-1",
        "act=' OR 1",
        "subject=a b",
        "since=0001-01-01",
    ):
        assert browser.get(f"/audit?{wrong}").status_code == 422, wrong


def test_every_line_is_on_one_page_and_no_page_counts(app: Flask, admin: Person) -> None:
    """Lines of one moment too: the number of a line tells them apart."""
    fill(PAGE_ROWS)
    with clock.travel(clock.now()):
        for number in range(PAGE_ROWS + 30):
            audit.note("courses.created", f"course/same-{number}")
    db.session.commit()
    seen: list[str] = []
    filters, costs = Filters(), []
    while True:
        with counted() as queries:
            found = find(filters, None)
        costs.append(len(queries))
        assert not any("count(" in one.lower() for one in queries)
        seen += [line.entry.subject for line in found.lines]
        if found.older is None:
            break
        filters = filters.at(found.older)
    assert len(seen) == len(set(seen)) == 2 * PAGE_ROWS + 30
    assert max(costs[1:]) <= costs[0] + 1  # the line that a page ends with


@pytest.mark.parametrize(
    "narrowed", [Filters(), Filters(act="courses.published"), Filters(subject="course/c1")]
)
def test_a_page_is_read_without_sorting_what_is_before_it(app: Flask, narrowed: Filters) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("the plan is SQLite's; the indexes are the same")
    fill(3)
    with counted() as queries:
        find(narrowed, None)
    asked = next(one for one in queries if "FROM lms_audit" in one)
    plan = db.session.connection().exec_driver_sql(
        f"EXPLAIN QUERY PLAN {asked}", tuple(["x"] * (asked.count("?") - 2) + [1, 0])
    )
    words = " ".join(row[3] for row in plan)
    assert "USING INDEX ix_lms_audit" in words, words
    assert "TEMP B-TREE" not in words


def test_all_of_it_is_saved_as_a_file_that_no_spreadsheet_runs(browser: FlaskClient) -> None:
    fill(PAGE_ROWS * 2)
    audit.note("certificates.revoked", "award/=cmd()", None, why="=HYPERLINK(1)")
    db.session.commit()
    answer = browser.post("/audit/file", data={"act": ""})
    assert answer.mimetype == "text/csv"
    lines = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert lines[0][:3] == ["when", "who", "id of who"]
    assert len(lines) == 1 + PAGE_ROWS * 2 + 2  # that it was taken is a line, too
    assert acts()[-1] == "audit.taken"
    assert [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@"))] == []
    narrowed = browser.post("/audit/file", data={"subject": "course/c1"}).text
    assert narrowed.count("\n") == 2


def test_it_is_the_same_number_of_queries_for_any_number_of_people(app: Flask) -> None:
    costs = []
    for count in (3, 30):
        for number in range(count):
            one = make_person(f"Person {number} of {count}")
            audit.note("people.roles", f"person/{one.uid}", one.id)
        db.session.commit()
        with counted() as queries:
            assert len(find(Filters(), None).lines) >= count
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_migrating_keeps_the_lines(app: Flask) -> None:
    names = db.session.execute(
        text("SELECT name FROM sqlite_master WHERE tbl_name = 'lms_audit' AND type = 'index'")
        if db.engine.dialect.name == "sqlite"
        else text("SELECT indexname FROM pg_indexes WHERE tablename = 'lms_audit'")
    ).scalars()
    assert {"ix_lms_audit_at_id", "ix_lms_audit_act_at_id", "ix_lms_audit_actor_id_at_id",
            "ix_lms_audit_subject_at_id"} <= set(names)  # fmt: skip
