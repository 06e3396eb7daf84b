"""Two whole journeys through the house, in a real browser, with nothing made up in between."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader
from sqlalchemy import func, select

from certificates.catalogue import publish
from certificates.models import Award, Origin
from courses.catalogue.services import draft_of
from courses.paths.enrolment import enrol_by_rule
from courses.progress.walk import take
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.security import hashed
from tests.browser.conftest import DESK, PHONE, Live, axe, overflow
from tests.browser.test_player import at, choose, prefetched, press, press_until
from tests.factories.courses import make_course, make_path
from tests.factories.esn import act, deliver, make_connector
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
    page.goto(live.url("/sign-in/password"))
    page.get_by_label("Work e-mail or sign-in name").fill("imani@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Imani")
    page.goto(live.url("/courses/ask/"))
    press(page)
    at(page, "hello")
    press(page)
    press_until(page, "which")
    prefetched(page)
    page.context.set_offline(True)
    choose(page, 1)
    expect(page.locator("[data-state]")).to_contain_text("Saved on this phone")
    page.context.set_offline(False)
    expect(page.get_by_text("That is right.")).to_be_visible(timeout=15_000)
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

    # The conditions move as the network tells of real use.
    conditions = live.url("/certificates/earn/first-answers")
    page.goto(conditions)
    expect(page.get_by_text("0 of 2")).to_be_visible()
    expect(page.get_by_text("Answer 2 more people")).to_be_visible()
    account = {"id": "u1", "email": "imani@example.test"}
    client = live.app.test_client()
    deliver(client, connector, secret, [act("u1", recipient="u2")], [account])
    run_pending()
    page.goto(conditions)
    expect(page.get_by_text("1 of 2")).to_be_visible()
    assert axe(page) == []
    assert overflow(page) == 0
    deliver(client, connector, secret, [act("u1", recipient="u3"), act("u1", recipient="u2")])
    run_pending()
    run_pending()
    award = db.session.scalars(select(Award)).one()
    award_uid, code, statement_id = award.uid, award.code, award.statement_id
    db.session.rollback()

    # The certificate, its paper, and the page that proves it to anybody.
    page.goto(live.url(f"/certificates/awards/{award_uid}"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("First Answers")
    paper = page.context.request.get(live.url(f"/certificates/awards/{award_uid}/paper.pdf"))
    assert paper.status == 200
    text = "".join(one.extract_text() for one in PdfReader(io.BytesIO(paper.body())).pages)
    assert "Imani Okafor" in text
    assert "First Answers" in text
    stranger = open_page(size=PHONE, dark=dark)
    stranger.goto(live.url(f"/certificates/verify/{code}"))
    expect(stranger.get_by_role("heading", level=1)).to_contain_text("genuine")
    for printed in ("Imani Okafor", "First Answers", "First days completed"):
        expect(stranger.get_by_text(printed, exact=True).first).to_be_visible()
    assert axe(stranger) == []
    held = select(func.count()).where(LrsStatement.statement_id == statement_id)
    assert db.session.scalar(held) == 1


def test_an_author_publishes_and_a_manager_drills_down(
    live: Live, open_page: Callable[..., Page]
) -> None:
    ingrid = make_person("Ingrid Solberg")
    done = make_person("Leila Haddad", ingrid)
    make_person("=Tomasz Wrona", ingrid)  # a name that a spreadsheet would run
    make_person("Somebody Else")
    course = make_course("ask")
    make_path(course, slug="first", title="First days")
    priya = make_person("Priya Raman", is_author=True)
    enrol_by_rule()
    take(done, course)
    db.session.commit()

    page = open_page(priya, size=DESK)
    page.goto(live.url("/courses/authoring/ask/cards/hello"))
    page.get_by_label("Text", exact=True).fill("Say what you need, and by when.")
    expect(page.locator("[data-status]")).to_contain_text("Saved at", timeout=8000)
    page.goto(live.url("/courses/authoring/ask/publish"))
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 2").first).to_be_visible()
    found = draft_of(course).find_card("hello")
    assert found is not None
    assert found.data["text"] == "Say what you need, and by when."

    desk = open_page(ingrid, size=DESK)
    desk.goto(live.url("/team"))
    expect(desk.get_by_role("rowheader", name="Leila Haddad")).to_be_visible()
    assert desk.get_by_text("Somebody Else").count() == 0
    shown = [
        [cell.strip() for cell in row.locator("th, td").all_inner_texts()]
        for row in desk.locator("tbody tr").all()
    ]
    assert axe(desk) == []
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Download this table").click()
    text = download.value.path().read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))[1:]
    assert [row[0].lstrip("'") for row in rows] == [row[0] for row in shown]
    assert all(not row[0].startswith("=") for row in rows)
    assert rows[0][1] == shown[0][1]
    desk.get_by_role("link", name="Leila Haddad").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Leila Haddad")
    expect(desk.get_by_text("done").first).to_be_visible()
