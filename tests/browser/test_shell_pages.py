"""The pages of the kernel, in both sizes and themes: axe finds nothing, nothing scrolls sideways."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from courses.paths.enrolment import enrol_by_rule
from lms import clock
from lms.db import db
from lms.people.models import Person
from lms.plugin import CellState
from tests.browser.conftest import DESK, PHONE, Live, axe, overflow, screenshot
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_person, make_unit
from tests.factories.teams import FakeColumn, add_columns, set_cell

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
THEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


def a_team(live: Live) -> Person:
    """Make the team of the look's picture."""
    path = FakeColumn("courses.first-30-days", "First 30 days", total=9)
    privacy = FakeColumn("courses.privacy", "Privacy on the network")
    certificate = FakeColumn("certificates.connected", "Certificate")
    condition = FakeColumn("certificates.connected.replies", "Answer colleagues", detail=True)
    add_columns(live.app, path, privacy, certificate, condition)
    now = clock.now()
    boss = make_person("Greta Halden")
    plant, office = make_unit("Plant"), make_unit("Office")
    tomasz = make_person("Tomasz Wrona", boss, unit_id=plant.id, job_role="driver")
    leila = make_person("Leila Haddad", boss, unit_id=office.id)
    imani = make_person("Imani Okafor", boss, unit_id=plant.id)
    jonas = make_person("Jonas Brandt", boss, unit_id=office.id)
    set_cell(path, tomasz, CellState.OVERDUE, 2, now - dt.timedelta(days=4))
    set_cell(privacy, tomasz, CellState.NOT_STARTED, None, now + dt.timedelta(days=20))
    set_cell(certificate, tomasz, CellState.NOT_MET)
    set_cell(condition, tomasz, CellState.NOT_MET)
    set_cell(path, leila, CellState.DONE)
    set_cell(privacy, leila, CellState.OVERDUE, None, now - dt.timedelta(days=1))
    set_cell(certificate, leila, CellState.NOT_MET)
    set_cell(path, imani, CellState.ON_TRACK, 4, now + dt.timedelta(days=12))
    set_cell(privacy, imani, CellState.DUE, None, now + dt.timedelta(days=3))
    set_cell(path, jonas, CellState.DONE)
    set_cell(privacy, jonas, CellState.DONE)
    set_cell(certificate, jonas, CellState.MET)
    return boss


def look(page: Page, name: str, size: tuple[int, int], dark: bool) -> None:
    screenshot(page, f"{name}-{size[0]}-{'dark' if dark else 'light'}")
    assert axe(page) == []
    assert overflow(page) == 0


@SIZES
@THEMES
def test_team(live: Live, open_page: Open, size: tuple[int, int], dark: bool) -> None:
    boss = a_team(live)
    page = open_page(boss, size=size, dark=dark)
    page.goto(live.url("/team"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Two people need you")
    look(page, "team", size, dark)
    page.get_by_role("button", name="Nudge: Tomasz Wrona").click()
    expect(page.get_by_text("nudged today")).to_be_visible()
    page.get_by_role("link", name="overdue", exact=False).first.click()
    expect(page.get_by_text("Two people fit.")).to_be_visible()
    look(page, "team-narrow", size, dark)
    page.get_by_role("link", name="Tomasz Wrona").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tomasz Wrona")
    look(page, "team-person", size, dark)


@SIZES
@THEMES
def test_home_news_settings(live: Live, open_page: Open, size: tuple[int, int], dark: bool) -> None:
    boss = a_team(live)
    page = open_page(boss, size=size, dark=dark)
    page.goto(live.url("/team"))
    page.get_by_role("button", name="Nudge: Tomasz Wrona").click()
    expect(page.get_by_text("nudged today")).to_be_visible()
    tomasz = db.session.query(Person).filter(Person.job_role == "driver").one()
    page = open_page(tomasz, size=size, dark=dark)
    page.goto(live.url("/"))
    expect(page.get_by_text("Greta Halden asks")).to_be_visible()
    look(page, "home", size, dark)
    page.get_by_role("link", name="See what’s new").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One thing is new")
    look(page, "news", size, dark)
    if size == PHONE:
        page.get_by_role("button", name="Menu").click()
        look(page, "menu", size, dark)
    page.get_by_role("link", name="Settings").click()
    look(page, "settings", size, dark)
    page.get_by_text("العربية").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    look(page, "settings-rtl", size, dark)


@SIZES
@THEMES
def test_home_with_a_course(live: Live, open_page: Open, size: tuple[int, int], dark: bool) -> None:
    make_path(make_course("ask-well"), make_course("answer-well"), title="First 30 days")
    person = make_person("Imani Okafor")
    enrol_by_rule()
    page = open_page(person, size=size, dark=dark)
    page.goto(live.url("/"))
    expect(page.get_by_role("link", name="Start")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Three minutes?")
    look(page, "home-course", size, dark)


@SIZES
def test_errors(live: Live, open_page: Open, size: tuple[int, int]) -> None:
    page = open_page(make_person("Imani Okafor"), size=size, watch=False)
    page.goto(live.url("/no-such-page"))
    look(page, "error", size, False)
    page.get_by_role("link", name="To your page").click()
    expect(page.get_by_text("Imani")).to_be_visible()


def test_all_of_it_works_by_keyboard_and_without_javascript(live: Live, open_page: Open) -> None:
    boss = a_team(live)
    page = open_page(boss, size=DESK, javascript=False)
    page.goto(live.url("/team"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    page.get_by_text("Narrow it down").click()
    page.get_by_label("Name").fill("leila")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_text("One person fits.")).to_be_visible()
    phone = open_page(boss, javascript=False)
    phone.goto(live.url("/"))
    phone.get_by_role("button", name="Menu").click()
    phone.get_by_role("link", name="Your team", exact=True).click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Two people need you")
