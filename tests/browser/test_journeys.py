"""Two whole journeys through the house, in a real browser, with nothing made up in between."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader
from sqlalchemy import func, select

from certificates.catalogue import publish
from certificates.models import Award, Origin
from courses.catalogue.services import draft_of
from courses.paths.enrolment import enrol_by_rule
from courses.progress.walk import take
from lms import clock
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.security import hashed
from tests.browser.conftest import DESK, PHONE, Live, axe, overflow, screenshot
from tests.browser.test_player import at, choose, prefetched, press, press_until
from tests.factories.courses import make_course, make_path
from tests.factories.esn import act, make_connector, signed
from tests.factories.people import make_person
from xapi.lrs.models import LrsStatement

PASSWORD = "three calm harbours"
RULE = """\
slug: first-answers
title: First Answers
summary: Finishes the path and answers colleagues.
requires:
  all:
    - completed: path/first
      title: First days
      proved: First days completed
    - id: colleagues
      title: Answer colleagues
      proved: Answered two colleagues
      usage: {verb: replied, at_least: 2, distinct: recipient}
      within: 14d
"""
pytestmark = pytest.mark.browser


def listen(page: Page) -> list[str]:
    """Return a list that fills with every script error and every error on the console."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda said: heard.append(said.text) if said.type == "error" else None)
    return heard


def push(
    live: Live,
    intake: str,
    secret: str,
    events: list[dict[str, Any]],
    accounts: Iterable[dict[str, Any]] = (),
) -> int:
    """Send what a network would send, over the line, and let the worker do what it finds."""
    body, headers = signed(secret, events, accounts)
    status = httpx.post(intake, content=body, headers=headers, trust_env=False).status_code
    run_pending()
    db.session.rollback()
    return status


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_newcomer_learns_takes_part_and_proves_it(
    live: Live, open_page: Callable[..., Page], dark: bool
) -> None:
    imani = make_person("Imani Okafor", email="imani@example.test")
    assert imani.identity is not None
    imani.identity.password = hashed(PASSWORD)
    make_path(make_course("ask"), slug="first", title="First days")
    publish(RULE, Origin.ADMINISTRATOR)
    connector, secret = make_connector()
    db.session.commit()
    enrol_by_rule()

    # Sign in, and take the course; the network is gone in the middle of a question.
    page = open_page(size=PHONE, dark=dark, watch=False)
    complaints = listen(page)
    page.goto(live.url("/sign-in/password"))
    page.get_by_label("Work e-mail or sign-in name").fill("imani@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Imani")
    page.get_by_role("link", name="Start", exact=True).click()  # the one thing to do
    page.wait_for_url("**/courses/ask/")
    press(page)
    at(page, "hello")
    press(page)
    press_until(page, "which")
    prefetched(page)
    assert complaints == []
    page.context.set_offline(True)
    choose(page, 1)
    expect(page.locator("[data-state]")).to_contain_text("Saved on this phone")
    # What the browser itself notes of requests that met no network, and nothing else.
    assert [one for one in complaints if "ERR_INTERNET_DISCONNECTED" not in one] == []
    page.context.set_offline(False)
    expect(page.get_by_text("That is right.")).to_be_visible(timeout=15_000)
    complaints.clear()
    press(page)
    at(page, "so")
    press(page)
    expect(page.get_by_text("right the first time: 1 of 1.")).to_be_visible()
    press(page)
    at(page, "several")
    choose(page, 0, 2)
    expect(page.get_by_text("That is right.")).to_be_visible()
    press(page)
    at(page, "last")
    choose(page, 0)
    press(page)
    at(page, "mission")
    press(page)
    expect(page.get_by_text("Course finished")).to_be_visible()

    # The conditions move as the network tells of real use, signed and over HTTP.
    conditions = live.url("/certificates/earn/first-answers")
    page.goto(conditions)
    expect(page.get_by_text("0 of 2")).to_be_visible()
    expect(page.get_by_text("Answer two more people")).to_be_visible()
    intake, account = (
        live.url(f"/esn/intake/{connector.uid}"),
        {
            "id": "u1",
            "email": "imani@example.test",
        },
    )
    one, other = [act("u1", recipient="u2")], [act("u1", recipient="u3"), act("u1", recipient="u2")]
    assert push(live, intake, f"{secret}x", one, [account]) == 401
    assert push(live, intake, secret, one, [account]) == 202
    page.goto(conditions)
    expect(page.get_by_text("1 of 2")).to_be_visible()
    expect(page.get_by_text("Answer one more person")).to_be_visible()
    assert axe(page) == []
    assert overflow(page) == 0
    assert push(live, intake, secret, other) == 202
    award = db.session.scalars(select(Award)).one()
    code, statement_id = award.code, award.statement_id
    db.session.rollback()

    # The certificate by the links that she sees: from her first page to the paper on her phone.
    page.goto(live.url("/certificates"))
    page.get_by_role("link", name="First Answers").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("First Answers")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the certificate").click()
    assert download.value.suggested_filename == "First Answers - Imani Okafor.pdf"
    text = "".join(one.extract_text() for one in PdfReader(download.value.path()).pages)
    assert "Imani Okafor" in text
    assert "First Answers" in text
    proof = page.get_by_role("link", name="The page that proves it").get_attribute("href")
    assert proof is not None
    assert proof.endswith(f"/certificates/verify/{code}")
    assert complaints == []
    stranger = open_page(size=PHONE, dark=dark)
    stranger.goto(live.url(proof))
    expect(stranger.get_by_role("heading", level=1)).to_contain_text("genuine")
    for printed in ("Imani Okafor", "First Answers", "First days completed"):
        expect(stranger.get_by_text(printed, exact=True).first).to_be_visible()
    assert axe(stranger) == []
    held = select(func.count()).where(LrsStatement.statement_id == statement_id)
    assert db.session.scalar(held) == 1


def table(page: Page) -> list[list[str]]:
    """Return what stands in the table, its head first, without the column of buttons."""
    rows: list[list[str]] = page.locator("table.team").evaluate(
        """table => [...table.rows].map(row => [...row.cells].slice(0, -1).map(cell => {
            const copy = cell.cloneNode(true);
            copy.querySelectorAll("[aria-hidden]").forEach(arrow => arrow.remove());
            return copy.textContent.trim().replace(/\\s+/g, " ");
        }))"""
    )
    return rows


def file(page: Page) -> list[list[str]]:
    """Press the link under the table; return what stands in the file."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Download this table").click()
    return list(csv.reader(io.StringIO(download.value.path().read_text("utf-8-sig"))))


def as_shown(rows: list[list[str]]) -> list[list[str]]:
    """Take away the apostrophe before what a spreadsheet would run."""
    return [[re.sub(r"^'(?==)", "", cell) for cell in row] for row in rows]


def test_an_author_publishes_and_a_manager_drills_down(
    live: Live, open_page: Callable[..., Page]
) -> None:
    ingrid = make_person("Ingrid Solberg")
    leila = make_person("Leila Haddad", ingrid)
    make_person("=Tomasz Wrona", ingrid)  # a name that a spreadsheet would run
    jonas = make_person("Jonas Brandt", leila)
    make_person("Aiko Mori", jonas)
    make_person("Somebody Else")
    first, second = make_course("ask"), make_course("share")
    make_path(first, slug="first", title="First days")
    priya = make_person("Priya Raman", is_author=True)
    publish(RULE, Origin.ADMINISTRATOR)
    db.session.commit()
    with clock.travel(clock.now() - dt.timedelta(days=40)):
        enrol_by_rule()
        take(leila, first)
    make_path(second, slug="second", title="Second, with “signs”; & more")
    enrol_by_rule()
    take(leila, second, 2)
    take(jonas, first, 3)
    db.session.commit()
    run_pending()

    page = open_page(priya, size=DESK)
    page.goto(live.url("/courses/authoring/ask/cards/hello"))
    page.get_by_label("Text", exact=True).fill("Say what you need, and by when.")
    expect(page.locator("[data-status]")).to_contain_text("Saved at", timeout=8000)
    page.goto(live.url("/courses/authoring/ask/publish"))
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 2").first).to_be_visible()
    found = draft_of(first).find_card("hello")
    assert found is not None
    assert found.data["text"] == "Say what you need, and by when."

    # Those who report to her, and nobody else; the file is the table, cell by cell.
    desk = open_page(ingrid, size=DESK)
    desk.goto(live.url("/team"))
    shown = table(desk)
    assert sorted(row[0] for row in shown[1:]) == ["=Tomasz Wrona", "Leila Haddad"]
    assert shown[0][0] == "Person"
    assert {"First days", "Second, with “signs”; & more", "First Answers"} <= set(shown[0])
    assert axe(desk) == []
    raw = file(desk)
    assert as_shown(raw) == shown
    assert "'=Tomasz Wrona" in [row[0] for row in raw]

    # All below her: three levels.
    desk.get_by_role("link", name="All below you").click()
    expect(desk.get_by_role("rowheader", name="Aiko Mori")).to_be_visible()
    below = table(desk)
    assert len(below) == 5
    assert "Somebody Else" not in [row[0] for row in below]
    assert as_shown(file(desk)) == below

    # A number leads to those it counts; the file follows.
    desk.get_by_role("link", name=re.compile("overdue")).first.click()
    expect(desk.get_by_text("Three people fit.")).to_be_visible()
    late = table(desk)
    assert sorted(row[0] for row in late[1:]) == ["=Tomasz Wrona", "Aiko Mori", "Jonas Brandt"]
    desk.get_by_role("link", name="Person").click()
    desk.wait_for_url("**sort=name**")
    ordered = table(desk)
    assert sorted(ordered) == sorted(late)
    assert as_shown(file(desk)) == ordered

    # And a name leads to the person, two levels below, and to each course.
    desk.get_by_role("link", name="Jonas Brandt").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Jonas Brandt")
    expect(desk.get_by_role("heading", name="Course by course")).to_be_visible()
    expect(desk.get_by_role("heading", name="What the certificate asks")).to_be_visible()
    expect(desk.get_by_text(re.compile("overdue")).first).to_be_visible()
    expect(desk.get_by_text("not met").first).to_be_visible()
    assert axe(desk) == []
    screenshot(desk, "journey-desk-person")
