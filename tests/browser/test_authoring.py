"""The author's page in a real browser: a course is written, published, edited; nobody loses text."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from courses.authoring import services
from courses.authoring.outline import remove_card, rewrite_card
from courses.catalogue.services import draft_of, get_course
from lms.db import db
from tests.browser.conftest import (
    DESK,
    PHONE,
    Live,
    axe,
    overflow,
    screenshot,
    session_cookie,
)
from tests.factories.people import make_person

pytestmark = pytest.mark.browser


def card_in(page: Page, lesson: str, kind: str) -> None:
    """Add a card of a kind to a lesson, from the outline."""
    section = page.locator("section.lesson", has_text=lesson)
    section.get_by_role("button", name=kind, exact=True).click()


def to_outline(page: Page, title: str) -> None:
    page.get_by_role("link", name=title, exact=True).click()


def write(page: Page, heading: str, text: str) -> None:
    page.get_by_label("Heading").fill(heading)
    page.locator("textarea[name=text]").fill(text)


def write_option(page: Page, number: int, text: str, feedback: str, right: bool = False) -> None:
    option = page.locator("[data-option]").nth(number)
    option.get_by_label("What can be chosen").fill(text)
    option.get_by_label("What a learner reads").fill(feedback)
    if right:
        option.get_by_label("This is right").check()


def saved(page: Page) -> None:
    """Wait until what was typed is saved; typing itself makes the line say that it is not yet."""
    expect(page.locator("[data-status]")).to_contain_text("Saved at", timeout=5000)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "The Bay.png"
    made = io.BytesIO()
    Image.new("RGB", (320, 200), (15, 82, 99)).save(made, "PNG")
    file.write_bytes(made.getvalue())
    return file


def test_an_author_builds_publishes_and_edits_while_a_learner_stays_on_version_1(
    live: Live, open_page: Callable[..., Page], picture: Path
) -> None:
    author = make_person("Leila Haddad", is_author=True)
    learner = make_person("Imani Okafor")
    page = open_page(author, size=DESK)

    # Three lessons, a picture, two questions, by clicks and keys alone.
    page.goto(live.url("/courses/authoring/"))
    page.get_by_role("link", name="New course").click()
    page.get_by_label("Title").fill("A tidy bay")
    page.get_by_label("What is it for, in one sentence?").fill("Load faster, and hurt nobody.")
    page.get_by_role("button", name="Begin").click()
    for title in ("See it", "Do it"):
        page.get_by_label("Add a lesson").fill(title)
        page.get_by_role("button", name="Add", exact=True).click()
    card_in(page, "First lesson", "Text")
    write(page, "Why a bay is tidy", "A strap on the floor is a fall waiting.")
    saved(page)
    page.get_by_text("Add a picture").click()
    page.get_by_label("Picture", exact=True).set_input_files(picture)
    page.get_by_label("What does it show?").fill("A loading bay with nothing on its floor.")
    page.get_by_role("button", name="Put it at the end of the text").click()
    expect(page.locator("textarea[name=text]")).to_have_value(
        "A strap on the floor is a fall waiting.\n\n"
        "![A loading bay with nothing on its floor.](media/the-bay.png)"
    )
    preview = page.frame_locator("#preview")
    expect(preview.get_by_role("heading", name="Why a bay is tidy")).to_be_visible()
    expect(preview.get_by_alt_text("A loading bay with nothing on its floor.")).to_be_visible()
    to_outline(page, "A tidy bay")

    for lesson, heading in (("See it", "A strap lies there"), ("Do it", "The van is early")):
        card_in(page, lesson, "Question")
        write(page, heading, "What do you do?")
        write_option(page, 0, "Step over it.", "The next one will not see it.")
        write_option(page, 1, "Hang it up.", "Ten seconds, and nobody falls.", right=True)
        saved(page)
        to_outline(page, "A tidy bay")

    page.get_by_role("link", name="Publish").click()
    page.get_by_role("button", name="Publish version 1").click()
    expect(page.get_by_text("Version 1 is published.")).to_be_visible()

    # A learner begins.
    phone = open_page(learner, size=PHONE)
    phone.goto(live.url("/courses/a-tidy-bay/"))
    phone.locator("main .button, footer .button").first.click()
    expect(phone.get_by_role("heading", name="Why a bay is tidy")).to_be_visible()

    # The author goes on writing, and publishes again.
    page.get_by_role("link", name="A strap lies there").click()
    page.get_by_label("Heading").fill("A strap lies there, again")
    saved(page)
    page.get_by_role("button", name="One more option").click()
    write_option(page, 2, "Call somebody.", "They will step over it, too.")
    saved(page)
    to_outline(page, "A tidy bay")
    expect(page.get_by_text("Version 1 is published. The draft beside it is not.")).to_be_visible()
    phone.get_by_role("button", name="Continue").click()
    expect(phone.get_by_role("heading", name="Why a bay is tidy")).to_be_hidden()
    page.get_by_role("link", name="Publish").click()
    expect(page.get_by_text("A strap lies there, again")).to_be_visible()
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_text("Version 2 is published.", exact=False).first).to_be_visible()

    # The learner is still on version 1, in the middle of the course; who begins now gets version 2.
    document = draft_of(get_course("a-tidy-bay"))
    question = document.lessons[1].cards[0].id
    lesson = document.lessons[1].id
    phone.goto(live.url(f"/courses/a-tidy-bay/{lesson}/{question}"))
    expect(phone.get_by_role("heading", name="A strap lies there", exact=True)).to_be_visible()
    expect(phone.locator("input[name=response]")).to_have_count(2)
    newcomer = open_page(make_person("Tomasz Wrona"), size=PHONE)
    newcomer.goto(live.url("/courses/a-tidy-bay/"))
    newcomer.locator("main .button, footer .button").first.click()
    newcomer.get_by_role("button", name="Continue").click()
    expect(newcomer.get_by_role("heading", name="Why a bay is tidy")).to_be_hidden()
    newcomer.goto(live.url(f"/courses/a-tidy-bay/{lesson}/{question}"))
    expect(newcomer.get_by_role("heading", name="A strap lies there, again")).to_be_visible()
    expect(newcomer.locator("input[name=response]")).to_have_count(3)


def start(live: Live, text: str = "Hello.") -> tuple[str, str]:
    """Make a course with one card, and return its slug and the card's id."""
    author = make_person("Somebody Else", is_author=True)
    course = services.start_course("Ask well", "Questions that get answers.", author.id)
    lesson = draft_of(course).lessons[0].id
    card_id = services.add_card(course, lesson, "text", {"text": text}, None, author.id)
    db.session.commit()
    return course.slug, card_id


def test_saving_never_overwrites_typing_and_survives_no_network(
    live: Live, open_page: Callable[..., Page]
) -> None:
    slug, card_id = start(live)
    page = open_page(make_person("Leila Haddad", is_author=True), size=DESK, watch=False)
    page.goto(live.url(f"/courses/authoring/{slug}/cards/{card_id}"))
    box = page.locator("textarea[name=text]")
    box.fill("")
    box.press_sequentially("Typing goes on while it is saved, and nothing jumps.", delay=60)
    expect(box).to_have_value("Typing goes on while it is saved, and nothing jumps.")
    expect(page.locator("[data-status]")).to_contain_text("Saved at")
    page.context.set_offline(True)
    box.fill("Written in a tunnel.")
    expect(page.locator("[data-status]")).to_contain_text("no connection")
    page.context.set_offline(False)
    expect(page.locator("[data-status]")).to_contain_text("Saved at", timeout=10_000)
    db.session.rollback()
    found = draft_of(get_course(slug)).find_card(card_id)
    assert found is not None
    assert found.data["text"] == "Written in a tunnel."
    db.session.rollback()
    page.reload()
    expect(box).to_have_value("Written in a tunnel.")


def test_what_is_typed_before_the_script_is_there_is_saved(
    live: Live, open_page: Callable[..., Page]
) -> None:
    slug, card_id = start(live)
    page = open_page(make_person("Leila Haddad", is_author=True), size=DESK)
    held: list[Route] = []
    page.route("**/authoring.js", lambda route: held.append(route))
    page.goto(live.url(f"/courses/authoring/{slug}/cards/{card_id}"), wait_until="commit")
    page.locator("textarea[name=text]").fill("Typed on a slow line.")
    page.wait_for_timeout(100)
    assert len(held) == 1
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        held[0].continue_()
    saved(page)
    db.session.rollback()
    found = draft_of(get_course(slug)).find_card(card_id)
    assert found is not None
    assert found.data["text"] == "Typed on a slow line."


@pytest.mark.long
def test_text_that_was_never_saved_is_put_back_and_overwrites_nobody(
    live: Live, open_page: Callable[..., Page]
) -> None:
    slug, card_id = start(live)
    address = live.url(f"/courses/authoring/{slug}/cards/{card_id}")
    page = open_page(make_person("Leila Haddad", is_author=True), size=DESK, watch=False)
    page.goto(address)
    box = page.locator("textarea[name=text]")
    page.context.set_offline(True)
    box.fill("Written in a tunnel.")
    expect(page.locator("[data-status]")).to_contain_text("no connection")
    page.goto("about:blank")
    page.context.set_offline(False)
    page.goto(address)
    expect(box).to_have_value("Written in a tunnel.")
    saved(page)
    # The same again, but meanwhile somebody else has written here.
    page.context.set_offline(True)
    box.fill("Written in a second tunnel.")
    expect(page.locator("[data-status]")).to_contain_text("no connection")
    # Before the network is back: what the closing page still manages to send must meet the change.
    course = get_course(slug)
    actor = make_person("Jonas Brandt", is_author=True)
    services.change(
        course, actor.id, lambda now: rewrite_card(now, card_id, "", {"text": "By Jonas."})
    )
    db.session.commit()
    page.goto("about:blank")
    page.context.set_offline(False)
    page.goto(address)
    expect(box).to_have_value("Written in a second tunnel.")
    expect(page.locator("[data-status]")).to_contain_text("Nothing was overwritten")
    expect(page.locator("pre")).to_contain_text("By Jonas.")
    page.get_by_role("link", name="Or keep theirs").click()
    expect(box).to_have_value("By Jonas.")


def test_a_press_on_save_while_a_conflict_is_on_its_way_replaces_nothing_unseen(
    live: Live, open_page: Callable[..., Page]
) -> None:
    slug, card_id = start(live)
    page = open_page(make_person("Leila Haddad", is_author=True), size=DESK, watch=False)
    page.goto(live.url(f"/courses/authoring/{slug}/cards/{card_id}"))
    actor = make_person("Jonas Brandt", is_author=True)
    services.change(
        get_course(slug),
        actor.id,
        lambda now: rewrite_card(now, card_id, "", {"text": "By Jonas."}),
    )
    db.session.commit()

    page.evaluate(
        """() => new MutationObserver((_, watch) => {
            if (document.querySelector("[data-status]").textContent !== "Saving …") return;
            watch.disconnect();
            document.querySelector(".save button[value=stay]").click();
        }).observe(document.querySelector("[data-status]"), { childList: true })"""
    )
    page.locator("textarea[name=text]").fill("By Leila.")
    expect(page.locator("pre")).to_contain_text("By Jonas.")
    page.wait_for_timeout(1000)
    db.session.rollback()
    found = draft_of(get_course(slug)).find_card(card_id)
    assert found is not None
    assert found.data["text"] == "By Jonas."


def test_text_that_was_never_saved_is_put_back_for_its_author_alone(
    live: Live, open_page: Callable[..., Page]
) -> None:
    slug, card_id = start(live)
    address = live.url(f"/courses/authoring/{slug}/cards/{card_id}")
    leila, jonas = (make_person(name, is_author=True) for name in ("Leila Haddad", "Jonas Brandt"))
    db.session.commit()
    page = open_page(leila, size=DESK, watch=False)
    page.goto(address)
    box = page.locator("textarea[name=text]")
    page.evaluate(
        """() => {
            const form = document.querySelector("form[data-autosave]");
            const fields = [["heading", ""], ["text", "Written by Leila in a tunnel."]];
            const kept = { base: form.elements.base.value, fields, submitted: false };
            const key = `ropes-author:${form.dataset.author}:${form.dataset.autosave}`;
            localStorage.setItem(key, JSON.stringify(kept));
        }"""
    )
    page.context.clear_cookies()
    page.context.add_cookies([session_cookie(live, jonas)])  # type: ignore[list-item]
    page.goto(address)
    expect(box).to_have_value("Hello.")
    page.context.clear_cookies()
    page.context.add_cookies([session_cookie(live, leila)])  # type: ignore[list-item]
    page.goto(address)
    expect(box).to_have_value("Written by Leila in a tunnel.")


@pytest.mark.long
def test_a_press_on_save_while_a_save_is_on_its_way_is_no_conflict(
    live: Live, open_page: Callable[..., Page]
) -> None:
    slug, card_id = start(live)
    page = open_page(make_person("Leila Haddad", is_author=True), size=DESK)
    page.goto(live.url(f"/courses/authoring/{slug}/cards/{card_id}"))

    def slowly(route: Route) -> None:
        time.sleep(0.8)
        route.continue_()

    page.route("**/cards/*", slowly)
    box = page.locator("textarea[name=text]")
    box.fill("First.")
    expect(page.locator("[data-status]")).to_have_text("Saving …")
    box.fill("First, and then more.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    expect(box).to_have_value("First, and then more.")


def test_the_second_of_two_authors_sees_both_texts(
    live: Live, open_page: Callable[..., Page]
) -> None:
    slug, card_id = start(live)
    address = live.url(f"/courses/authoring/{slug}/cards/{card_id}")
    first = open_page(make_person("Leila Haddad", is_author=True), size=DESK)
    second = open_page(make_person("Jonas Brandt", is_author=True), size=DESK, watch=False)
    first.goto(address)
    second.goto(address)
    first.locator("textarea[name=text]").fill("Leila was here.")
    saved(first)
    second.locator("textarea[name=text]").fill("Jonas was here.")
    expect(second.locator("[data-status]")).to_contain_text("Nothing was overwritten")
    expect(second.get_by_role("heading", name="Somebody else changed this card")).to_be_visible()
    expect(second.get_by_role("button", name="Save", exact=True)).to_have_count(0)
    expect(second.locator("pre")).to_contain_text("Leila was here.")
    expect(second.locator("textarea[name=text]")).to_have_value("Jonas was here.")
    screenshot(second, "authoring-conflict")
    assert axe(second) == []
    second.locator("textarea[name=text]").press_sequentially(" Again.")
    second.reload()  # what was typed after that is not lost either, and still replaces nothing unseen
    expect(second.locator("textarea[name=text]")).to_have_value("Jonas was here. Again.")
    expect(second.locator("pre")).to_contain_text("Leila was here.")
    second.get_by_role("button", name="Save mine in its place").click()
    expect(second.get_by_text("Saved.", exact=True)).to_be_visible()
    db.session.rollback()
    found = draft_of(get_course(slug)).find_card(card_id)
    assert found is not None
    assert found.data["text"] == "Jonas was here. Again."


def test_text_on_a_card_that_was_taken_away_stays_on_the_screen(
    live: Live, open_page: Callable[..., Page]
) -> None:
    slug, card_id = start(live)
    page = open_page(make_person("Leila Haddad", is_author=True), size=DESK, watch=False)
    page.goto(live.url(f"/courses/authoring/{slug}/cards/{card_id}"))
    actor = make_person("Jonas Brandt", is_author=True)
    services.change(get_course(slug), actor.id, lambda now: remove_card(now, card_id))
    db.session.commit()
    box = page.locator("textarea[name=text]")
    box.fill("Long and dear.")
    expect(page.locator("[data-status]")).to_contain_text("Somebody took this card away")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(box).to_have_value("Long and dear.")
    expect(page).to_have_url(live.url(f"/courses/authoring/{slug}/cards/{card_id}"))


def test_two_authors_of_one_description_see_both_texts(
    live: Live, open_page: Callable[..., Page]
) -> None:
    slug, _card_id = start(live)
    address = live.url(f"/courses/authoring/{slug}/about")
    first = open_page(make_person("Leila Haddad", is_author=True), size=DESK)
    second = open_page(make_person("Jonas Brandt", is_author=True), size=DESK, watch=False)
    first.goto(address)
    second.goto(address)
    first.locator("[name=summary]").fill("What Leila says of it.")
    saved(first)
    second.locator("[name=summary]").fill("What Jonas says of it.")
    expect(second.locator("pre")).to_contain_text("What Leila says of it.")
    second.get_by_role("button", name="Save mine in its place").click()
    expect(second.get_by_text("Saved.", exact=True)).to_be_visible()
    db.session.rollback()
    assert draft_of(get_course(slug)).summary == "What Jonas says of it."


WORD = """<html><head><style>p{margin:0}</style></head><body><!--StartFragment-->
<p class=MsoNormal><b>Before</b> the shift &amp; <i>after</i> it, read <a href="https://example.org/a b">this</a>.<o:p></o:p></p>
<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><![if !supportLists]><span style='mso-list:Ignore'>·<span>&nbsp;&nbsp;</span></span><![endif]>Say hello</p>
<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>·</span>Ask once</p>
<ol><li>First</li><li>Second<ul><li>Inner</li></ul></li></ol>
<table><tr><td><p>Who</p></td><td><p>When</p></td></tr><tr><td>Leila</td><td>Monday</td></tr></table>
<p>5 * 3 <img src=x onerror="document.title='run'"><script>document.title='run'</script></p>
<!--EndFragment--></body></html>"""
MARKDOWN = """**Before** the shift & *after* it, read [this](https://example.org/a%20b).

- Say hello
- Ask once

1. First
2. Second
   - Inner

| Who | When |
| --- | --- |
| Leila | Monday |

5 \\* 3"""


def test_what_is_pasted_from_word_keeps_its_form(
    live: Live, open_page: Callable[..., Page]
) -> None:
    slug, card_id = start(live)
    page = open_page(make_person("Leila Haddad", is_author=True), size=DESK)
    page.goto(live.url(f"/courses/authoring/{slug}/cards/{card_id}"))
    box = page.locator("textarea[name=text]")
    box.fill("")
    box.focus()
    page.evaluate(
        """([html, plain]) => {
            const held = new DataTransfer();
            if (html) held.setData("text/html", html);
            held.setData("text/plain", plain);
            document.activeElement.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: held, bubbles: true, cancelable: true }));
        }""",
        [WORD, "Before the shift"],
    )
    expect(box).to_have_value(MARKDOWN)
    saved(page)
    assert page.title() != "run"
    expect(page.frame_locator("#preview").locator("ul li").first).to_have_text("Say hello")
    expect(page.frame_locator("#preview").locator("table td").first).to_have_text("Leila")
    box.press("Control+z")
    expect(box).to_have_value("")


def test_options_are_added_moved_and_taken_away_by_the_keyboard(
    live: Live, open_page: Callable[..., Page]
) -> None:
    author = make_person("Leila Haddad", is_author=True)
    course = services.start_course("Ask well", "Questions that get answers.", author.id)
    lesson = draft_of(course).lessons[0].id
    options = [{"text": said, "right": said == "b", "feedback": said * 3} for said in "abc"]
    data = {"text": "Which?", "multiple": False, "options": options}
    card_id = services.add_card(course, lesson, "choice", data, None, author.id)
    slug = course.slug
    db.session.commit()
    page = open_page(author, size=DESK)
    page.goto(live.url(f"/courses/authoring/{slug}/cards/{card_id}"))
    third = page.locator("[data-option]").nth(2)
    third.get_by_role("button", name="Move up").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.locator("[data-option]").nth(1).get_by_role("button", name="Take away").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Put it back").press("Enter")
    expect(page.locator("[data-option]")).to_have_count(3)
    page.locator("[data-option]").nth(1).get_by_role("button", name="Take away").press("Enter")
    expect(page.locator("[data-option]")).to_have_count(2)
    saved(page)
    db.session.rollback()
    found = draft_of(get_course(slug)).find_card(card_id)
    assert found is not None
    assert [(said["text"], said["right"]) for said in found.data["options"]] == [
        ("c", False),
        ("b", True),
    ]


@pytest.mark.parametrize(
    ("size", "dark"),
    [
        pytest.param(PHONE, True, id="phone-dark"),
        pytest.param(DESK, False, id="desk-light"),
        pytest.param(PHONE, False, id="phone-light", marks=pytest.mark.long),
        pytest.param(DESK, True, id="desk-dark", marks=pytest.mark.long),
    ],
)
def test_every_page_of_an_author_is_accessible_and_fits(
    live: Live, open_page: Callable[..., Page], size: tuple[int, int], dark: bool
) -> None:
    author = make_person("Leila Haddad", is_author=True)
    course = services.start_course("Ask well", "Questions that get answers.", author.id)
    lesson = draft_of(course).lessons[0].id
    cards = [
        services.add_card(course, lesson, kind, data, None, author.id)
        for kind, data in (
            ("text", {"text": "A fairly long word: Donaudampfschifffahrtsgesellschaft."}),
            ("choice", {"text": "?", "multiple": False, "options": []}),
            ("mission", {"text": "Go.", "measure": "esn.acts", "verb": "posted", "at_least": 1}),
        )
    ]
    slug = course.slug
    db.session.commit()
    page = open_page(author, size=size, dark=dark)
    addresses = ["", "new", "import", f"{slug}/", f"{slug}/about", f"{slug}/publish"]
    addresses += [f"{slug}/history", f"{slug}/lessons/{lesson}"]
    addresses += [f"{slug}/cards/{card_id}" for card_id in cards]
    addresses.append(f"{slug}/cards/{cards[0]}/remove")
    for address in addresses:
        page.goto(live.url(f"/courses/authoring/{address}"))
        assert axe(page) == [], address
        assert overflow(page) == 0, address
