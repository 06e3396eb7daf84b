"""The parts of the design system on one page, in both sizes, themes and directions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Blueprint, render_template
from flask_wtf import FlaskForm
from playwright.sync_api import Page
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from lms.people.access import Who, allow
from tests.browser.conftest import DESK, PHONE, Live, axe, overflow, screenshot
from tests.factories.people import make_person

pytestmark = pytest.mark.browser


class Specimen(FlaskForm):
    """One field of every kind."""

    title = StringField("Title", [InputRequired("Give it a title, so that people find it.")])
    text = TextAreaField("What you will say", description="Two or three sentences are enough.")
    group = SelectField(
        "Group", choices=[SelectChoice("a", "Field Notes"), SelectChoice("b", "Safety")]
    )
    mail = BooleanField("Tell me by mail")
    which = RadioField(
        "Which post will be answered?", choices=[SelectChoice("1", "One"), SelectChoice("2", "Two")]
    )


def page_of_parts() -> Blueprint:
    blueprint = Blueprint("parts", __name__, template_folder=str(Path(__file__).parent / "pages"))

    @blueprint.route("/parts", methods=["GET", "POST"])
    @allow(Who.SIGNED_IN)
    def parts() -> str:
        form = Specimen()
        form.validate_on_submit()
        return render_template("parts.html", form=form)

    return blueprint


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_parts(
    live: Live, open_page: Callable[..., Page], size: tuple[int, int], dark: bool
) -> None:
    live.app.register_blueprint(page_of_parts())
    page = open_page(make_person("Imani Okafor"), size=size, dark=dark)
    page.goto(live.url("/parts"))
    page.evaluate("document.querySelector('form').noValidate = true")
    page.get_by_role("button", name="Check").click()
    page.wait_for_url("**/parts")
    assert page.get_by_text("Give it a title").is_visible()
    screenshot(page, f"parts-{size[0]}-{'dark' if dark else 'light'}")
    assert axe(page) == []
    assert overflow(page) == 0


def test_right_to_left(live: Live, open_page: Callable[..., Page]) -> None:
    live.app.register_blueprint(page_of_parts())
    page = open_page(make_person("Imani Okafor", language="ar"))
    page.goto(live.url("/parts"))
    assert page.locator("html").get_attribute("dir") == "rtl"
    screenshot(page, "parts-rtl")
    assert overflow(page) == 0
