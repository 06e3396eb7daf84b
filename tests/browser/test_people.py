"""People in a real browser: joining with a phone, a passkey, the administrator's pages."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy import func, select
from zxingcpp import read_barcodes

from lms.audit import AuditEntry
from lms.db import db
from lms.people import joining
from lms.people.models import Passkey, Person
from lms.people.security import hashed
from tests.browser.conftest import DESK, PHONE, Live, axe, overflow, screenshot
from tests.factories.people import make_person, make_unit

pytestmark = pytest.mark.browser
PASSWORD = "three harbour gulls"
Open = Callable[..., Page]


@pytest.fixture
def administrator(live: Live) -> Person:
    person = make_person("Jonas Brandt", is_administrator=True, email="jonas@example.test")
    assert person.identity is not None
    person.identity.password = hashed(PASSWORD)
    db.session.commit()
    return person


def looked_at(page: Page, name: str) -> None:
    """Look at a page: a picture, axe, and nothing that scrolls sideways."""
    screenshot(page, name)
    assert axe(page) == []
    assert overflow(page) == 0


def touch(page: Page) -> None:
    """Give the browser a device that says yes to every passkey, as a fingerprint would."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_somebody_joins_and_comes_back_with_one_touch(
    live: Live, open_page: Open, administrator: Person
) -> None:
    link = joining.make_link(administrator, days=1, most_uses=1, unit=make_unit("Depot Ghent"))
    db.session.commit()
    path = f"/join/{joining.token_of(link)}"
    page = open_page()
    touch(page)
    page.goto(live.url(path))
    looked_at(page, "people-join")
    page.get_by_label("Your name").fill("Imani Okafor")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are in, Imani")
    looked_at(page, "people-welcome")
    with page.expect_navigation():
        page.get_by_role("button", name="Make a passkey").click()
    assert db.session.scalar(select(func.count()).select_from(Passkey)) == 1
    page.goto(live.url("/notices"))
    expect(page.get_by_text("A passkey was added to your account. Was it you?")).to_be_visible()
    page.goto(live.url("/me/sign-in"))
    looked_at(page, "people-devices")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page).to_have_url(re.compile("/sign-in$"))
    page.goto(live.url("/me/held"))
    looked_at(page, "people-sign-in-passkey")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(live.url("/me/held"))
    looked_at(page, "people-held")
    acts = set(db.session.scalars(select(AuditEntry.act)))
    assert acts >= {"people.joined", "people.passkey.added", "people.sign_in.done"}


@pytest.mark.parametrize("dark", [False, True])
def test_sign_in_pages_without_javascript(
    live: Live, open_page: Open, administrator: Person, dark: bool
) -> None:
    live.app.config["LMS_MAIL_SERVER"] = "mail.example.test"
    tint = "dark" if dark else "light"
    page = open_page(javascript=False, dark=dark, size=PHONE, watch=False)  # a 422 is meant
    page.goto(live.url("/"))
    screenshot(page, f"people-sign-in-{tint}")
    assert overflow(page) == 0
    page.get_by_label("Work e-mail or sign-in name").fill("jonas@example.test")
    page.get_by_role("button", name="Mail me a code").click()
    screenshot(page, f"people-code-{tint}")
    page.goto(live.url("/sign-in/password"))
    page.get_by_label("Work e-mail or sign-in name").fill("jonas@example.test")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("do not fit together")).to_be_visible()
    screenshot(page, f"people-password-{tint}")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(live.url("/"))


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_administrator_imports_and_finds_people(
    live: Live, open_page: Open, administrator: Person, tmp_path: Path, size: tuple[int, int]
) -> None:
    wide = "desk" if size == DESK else "phone"
    file = tmp_path / "hr.csv"
    file.write_text(
        "Employee ID,First name,Last name,Department,Reports to,Job title,Salary\n"
        "3,Tomasz,Wrona,Depot Ghent,2,driver,1\n2,Leila,Haddad,Depot Ghent,1,depot lead,1\n"
        "1,Ines,Moreau,Head office,,operations,1\n4,Imani,Okafor,Depot Ghent,2,driver,1\n"
    )
    page = open_page(administrator, size=size)
    page.goto(live.url("/people/import/"))
    looked_at(page, f"people-upload-{wide}")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Four people would be added or changed"
    )
    looked_at(page, f"people-preview-{wide}")
    page.get_by_role("button", name="Take it over").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Five people are here")
    looked_at(page, f"people-everybody-{wide}")
    page.get_by_label("Name, e-mail or number").fill("okafor")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Imani Okafor").click()
    looked_at(page, f"people-person-{wide}")
    page.get_by_role("button", name="Make a link").click()
    picture = page.locator(".people-qr img")
    picture.wait_for()
    # A function, not a text: the page's policy forbids evaluating text.
    page.wait_for_timeout(500)
    assert picture.evaluate("image => image.naturalWidth") > 0
    shown = Image.open(io.BytesIO(picture.screenshot()))
    [code] = read_barcodes(shown)  # as a phone's camera would
    assert code.text.startswith(live.url("/join/"))
    phone = open_page(size=PHONE)
    phone.goto(code.text)
    expect(phone.get_by_role("heading", level=1)).to_contain_text("Imani")
    looked_at(page, f"people-link-{wide}")
    page.goto(live.url("/people/units"))
    looked_at(page, f"people-units-{wide}")
    page.goto(live.url("/people/links/"))
    looked_at(page, f"people-links-{wide}")
