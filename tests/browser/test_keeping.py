"""What is kept, and for how long; a person's statements removed: as an administrator goes through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from lms.db import db
from lms.jobs.queue import run_pending
from tests.browser.conftest import DESK, PHONE, Live, screenshot
from tests.browser.inspection import inspect
from tests.factories.people import make_person
from tests.xapi.lrs import Provider, statement
from xapi.outbox import stores

pytestmark = pytest.mark.browser

MAIL = "leila.haddad@example.test"
LEILA = {"mbox": f"mailto:{MAIL}"}
HOSTILE = "<b onmouseover=alert(1)>Case 7</b>\u202e"


@pytest.fixture
def admin(live: Live) -> Any:
    """Somebody who administers, in a house with statements of Leila and a second record store."""
    made = make_person("Jonas Brandt", is_administrator=True)
    make_person("Leila <i>Haddad</i>", email=MAIL)
    stores.add("Head office", "https://lrs.example.test/xapi/", "ropes", "sample", "1.0.3")
    db.session.commit()
    lrs = Provider(live.app)
    lrs.post([statement(actor=LEILA) for _ in range(3)])
    lrs.post([statement(actor={"mbox": "mailto:tomasz@example.test"})])
    db.session.commit()
    return made


@pytest.mark.parametrize(
    ("size", "dark"), [(PHONE, False), (DESK, True)], ids=["phone, light", "desk, dark"]
)
def test_somebodys_statements_are_removed(
    live: Live, open_page: Callable[..., Page], admin: Any, size: tuple[int, int], dark: bool
) -> None:
    page = open_page(admin, size=size, dark=dark)

    def look(name: str) -> None:
        assert inspect(page) == [], name
        screenshot(page, f"keeping-{name}-{size[0]}")

    page.goto(live.url("/xapi/keeping"))
    page.get_by_role("link", name="Remove somebody’s statements").click()
    page.get_by_label("Whose statements").fill(MAIL)
    page.get_by_label("Why, for the record").fill(HOSTILE)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("heading", name="Remove the statements of Leila <i>Haddad</i>?").wait_for()
    assert "What “Head office” holds" in page.locator("main").inner_text()
    look("sure")
    page.get_by_label("Yes, remove all of this for good").check()
    page.get_by_role("button", name="Remove for good").click()
    page.get_by_role("heading", name="Somebody’s statements are being removed").wait_for()
    look("removing")
    db.session.rollback()
    run_pending()
    db.session.rollback()
    page.get_by_role("heading", name="Somebody’s statements were removed").wait_for()  # by itself
    assert "Leila" not in page.locator("body").inner_text()
    look("removed")
    page.goto(live.url("/xapi/keeping"))
    assert "1 statement is kept here" in page.locator("h1").inner_text()
    assert "Case 7</b>" in page.locator("main").inner_text()
    look("after")


def test_rules_are_changed_knowingly(
    live: Live, open_page: Callable[..., Page], admin: Any
) -> None:
    page = open_page(admin, size=PHONE)
    page.goto(live.url("/xapi/keeping/retention"))
    months = page.get_by_label("All statements: months")
    months.fill("601")
    page.get_by_role("button", name="Keep so").click()
    assert months.evaluate("one => one.validity.rangeOverflow")
    assert inspect(page) == []
    months.fill("24")
    page.get_by_role("button", name="Keep so").click()
    page.get_by_text("From now on it is kept so.").wait_for()
    assert "Statements: 24 months." in page.locator("main").inner_text()
    assert inspect(page) == []
