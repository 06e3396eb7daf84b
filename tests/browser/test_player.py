"""The player in a real browser: at the phone, without JavaScript, and without a network."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from courses.catalogue.models import Course
from courses.paths.enrolment import enrol_by_rule
from courses.progress.models import Answer, Attempt, Completion
from courses.progress.walk import take
from lms.db import db
from lms.people.models import Person
from tests.browser.conftest import DESK, PHONE, Live, axe, overflow, screenshot, session_cookie
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_person
from xapi.outbox.models import OutboxStatement

pytestmark = pytest.mark.browser
KEPT = "Saved on this phone. Sent when you are back online."
SENT = "You are back online. Everything was sent."


@pytest.fixture
def learner(live: Live) -> Person:
    """Somebody with a course to take."""
    person = make_person("Imani Okafor")
    make_path(make_course("ask"), slug="first")
    db.session.commit()
    return person


def press(page: Page) -> None:
    """Press the one button."""
    page.locator("footer.foot .button").click()


def choose(page: Page, *options: int) -> None:
    """Choose options of the question and press Check."""
    for option in options:
        page.locator(".choice").nth(option).click()
    press(page)


def at(page: Page, card: str) -> None:
    """Wait until the browser stands at this card."""
    expect(page.locator(f'main[data-card$="/{card}"]')).to_be_visible()
    expect(page).to_have_url(re.compile(f"/{card}$"))


def waits(page: Page, question: str) -> None:
    """Wait until a question in JavaScript has the answer yes; asked from outside the page's policy."""
    for _ in range(100):
        if page.evaluate(question):
            return
        page.wait_for_timeout(100)
    raise AssertionError(question)


def prefetched(page: Page) -> None:
    """Wait until the lesson's cards, and the page to open them in, are on the phone."""
    waits(
        page,
        """async () => {
            const kept = await caches.open("ropes-courses");
            return Boolean(await kept.match("/courses/shell"));
        }""",
    )


def controlled(page: Page) -> None:
    """Wait until the service worker serves this page."""
    waits(page, "() => navigator.serviceWorker.controller !== null")


def answers() -> dict[str, list[str]]:
    """Return what the server holds, by card."""
    found = {row.card_id: row.response for row in db.session.scalars(select(Answer))}
    db.session.rollback()
    return found


def told(verb: str) -> int:
    """Return how many statements with this verb were recorded."""
    texts = db.session.scalars(select(OutboxStatement.text)).all()
    db.session.rollback()
    return sum(f"verbs/{verb}" in text for text in texts)


def test_a_course_from_the_first_page_to_its_end(
    live: Live, learner: Person, open_page: Callable[..., Page]
) -> None:
    enrol_by_rule()
    page = open_page(learner)
    page.goto(live.url("/"))
    page.get_by_role("link", name="Start").click()
    page.get_by_role("button", name="Start").click()
    at(page, "hello")
    screenshot(page, "player-text")
    press(page)
    at(page, "habits")
    press(page)
    at(page, "which")
    choose(page, 1)
    expect(page.get_by_text("That is right.")).to_be_visible()
    screenshot(page, "player-answered")
    press(page)
    at(page, "so")
    press(page)
    expect(page.get_by_text("right the first time: 1 of 1.")).to_be_visible()
    screenshot(page, "player-lesson-done")
    press(page)
    at(page, "several")
    choose(page, 0, 2)
    expect(page.get_by_text("That is right.")).to_be_visible()
    press(page)
    at(page, "last")
    choose(page, 0)
    press(page)
    at(page, "mission")
    screenshot(page, "player-mission")
    press(page)
    expect(page.get_by_text("Course finished")).to_be_visible()
    screenshot(page, "player-course-done")
    assert db.session.scalars(select(Completion.target).order_by(Completion.target)).all() == [
        "course/ask",
        "path/first",
    ]
    db.session.rollback()


def test_the_network_is_lost_in_mid_quiz_and_comes_back(
    live: Live, learner: Person, open_page: Callable[..., Page]
) -> None:
    page = open_page(learner, watch=False)
    page.goto(live.url("/courses/ask/"))
    press(page)
    at(page, "hello")
    press(page)
    press_until(page, "which")
    prefetched(page)
    page.context.set_offline(True)
    choose(page, 0)
    expect(page.locator("[data-state]")).to_contain_text(KEPT)
    expect(page.locator(".choice input").first).to_be_disabled()
    screenshot(page, "player-offline")
    press(page)
    at(page, "so")
    expect(page.locator("[data-state]")).to_contain_text(KEPT)
    press(page)
    expect(page.get_by_text("That was the last card of this lesson")).to_be_visible()
    screenshot(page, "player-offline-end")
    page.get_by_role("button", name="Look at the cards again").click()
    at(page, "hello")
    page.go_back()
    assert answers() == {}
    page.context.set_offline(False)
    expect(page.locator("[data-state]")).to_contain_text(SENT, timeout=15_000)
    assert answers() == {"which": ["0"]}
    assert told("answered") == 1
    attempt = db.session.scalars(select(Attempt)).one()
    assert (attempt.reached, attempt.card_id) == (4, "several")
    db.session.rollback()


def press_until(page: Page, card: str) -> None:
    """Press on until this card is there."""
    for _ in range(6):
        expect(page.locator("button[form=card]")).to_be_enabled()
        if page.locator(f'main[data-card$="/{card}"]').count():
            break
        before = page.url
        press(page)
        expect(page).not_to_have_url(before)
    at(page, card)


def test_an_answer_survives_a_reload_without_a_network(
    live: Live, learner: Person, open_page: Callable[..., Page]
) -> None:
    page = open_page(learner, watch=False)
    page.goto(live.url("/courses/ask/"))
    press(page)
    press_until(page, "which")
    controlled(page)
    prefetched(page)
    page.context.set_offline(True)
    choose(page, 1)
    expect(page.locator("[data-state]")).to_contain_text(KEPT)
    page.reload()
    at(page, "which")
    expect(page.locator("[data-state]")).to_contain_text(KEPT)
    expect(page.locator(".choice input").nth(1)).to_be_checked()
    press(page)
    at(page, "so")
    page.reload()
    at(page, "so")
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("[data-state]")).to_contain_text(SENT, timeout=15_000)
    assert answers() == {"which": ["1"]}
    page.goto(live.url("/courses/ask/why/which"))
    expect(page.get_by_text("That is right.")).to_be_visible()


@pytest.mark.parametrize("status", [500, 503])
def test_an_answer_that_the_server_could_not_take_is_kept_and_sent_again(
    live: Live, learner: Person, open_page: Callable[..., Page], status: int
) -> None:
    """The database is away: the page of the error must not take the place of what was answered."""
    page = open_page(learner, watch=False)
    take(learner, db.session.scalars(select(Course)).one(), 2)
    db.session.commit()
    page.goto(live.url("/courses/ask/why/which"))
    prefetched(page)
    away = "<html><title>Away</title><main id='main'><h1>The database does not answer</h1></main>"

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=status, body=away, content_type="text/html")
        else:
            route.continue_()

    page.route("**/courses/ask/why/which", answer)
    choose(page, 1)
    expect(page.locator("[data-state]")).to_contain_text(KEPT)
    assert answers() == {}
    page.unroute("**/courses/ask/why/which")
    page.reload()
    expect(page.locator("[data-state]")).to_contain_text(SENT, timeout=15_000)
    assert answers() == {"which": ["1"]}


def test_a_shared_phone_does_not_send_one_persons_answer_as_anothers(
    live: Live, learner: Person, open_page: Callable[..., Page]
) -> None:
    other = make_person("Tomasz Wrona")
    course = db.session.scalars(select(Course)).one()
    take(other, course, 2)
    db.session.commit()
    page = open_page(learner, watch=False)
    page.goto(live.url("/courses/ask/"))
    press(page)
    press_until(page, "which")
    prefetched(page)
    page.context.set_offline(True)
    choose(page, 1)
    expect(page.locator("[data-state]")).to_contain_text(KEPT)
    page.context.clear_cookies()
    page.context.add_cookies([session_cookie(live, other)])  # type: ignore[list-item]
    page.context.set_offline(False)
    page.goto(live.url("/courses/ask/why/which"))
    page.wait_for_timeout(1500)
    assert answers() == {}
    page.context.clear_cookies()
    page.context.add_cookies([session_cookie(live, learner)])  # type: ignore[list-item]
    page.goto(live.url("/courses/ask/why/which"))
    expect(page.get_by_text("That is right.")).to_be_visible(timeout=15_000)
    assert answers() == {"which": ["1"]}


def test_nothing_chosen_is_not_kept_and_a_sign_out_loses_nothing(
    live: Live, learner: Person, open_page: Callable[..., Page]
) -> None:
    page = open_page(learner, watch=False)
    course = db.session.scalars(select(Course)).one()
    take(learner, course, 4)
    db.session.commit()
    page.goto(live.url("/courses/ask/ask/several"))
    prefetched(page)
    page.context.set_offline(True)
    press(page)
    expect(page.locator("[data-state]")).to_contain_text("Choose an answer first.")
    choose(page, 0, 2)
    expect(page.locator("[data-state]")).to_contain_text(KEPT)
    page.context.clear_cookies()
    page.context.set_offline(False)
    page.wait_for_timeout(1000)
    assert "several" not in answers()
    page.context.add_cookies([session_cookie(live, learner)])  # type: ignore[list-item]
    page.goto(live.url("/courses/ask/ask/several"))
    expect(page.get_by_text("That is right.")).to_be_visible(timeout=15_000)
    assert answers()["several"] == ["0", "2"]


def test_an_answer_given_when_signed_out_meanwhile_waits_for_its_owner(
    live: Live, learner: Person, open_page: Callable[..., Page]
) -> None:
    page = open_page(learner, watch=False)
    take(learner, db.session.scalars(select(Course)).one(), 2)
    db.session.commit()
    page.goto(live.url("/courses/ask/why/which"))
    prefetched(page)
    page.context.clear_cookies()
    choose(page, 1)
    expect(page).to_have_url(re.compile("/sign-in"))
    waits(page, "() => document.documentElement.dataset.forgotten === 'yes'")
    assert answers() == {}
    page.context.add_cookies([session_cookie(live, learner)])  # type: ignore[list-item]
    page.goto(live.url("/courses/ask/why/which"))
    expect(page.get_by_text("That is right.")).to_be_visible(timeout=15_000)
    assert answers() == {"which": ["1"]}


def test_feedback_seen_online_is_there_offline_too(
    live: Live, learner: Person, open_page: Callable[..., Page]
) -> None:
    page = open_page(learner, watch=False)
    page.goto(live.url("/courses/ask/"))
    press(page)
    press_until(page, "which")
    prefetched(page)
    choose(page, 0)
    expect(page.get_by_text("Feedback 1.")).to_be_visible()
    press(page)
    at(page, "so")
    controlled(page)
    waits(
        page,
        """() => new Promise((done) => {
            const open = indexedDB.open("ropes-courses");
            open.onsuccess = () => {
                const cards = open.result.transaction("cards").objectStore("cards");
                const asked = cards.get("/courses/ask/why/which");
                asked.onsuccess = () => {
                    open.result.close();
                    done(Boolean(asked.result?.html.includes("Feedback 1.")));
                };
            };
        })""",
    )
    page.context.set_offline(True)
    page.get_by_role("link", name="Back to the card before").click()
    at(page, "which")
    expect(page.get_by_text("Feedback 1.")).to_be_visible()


def test_what_was_seen_last_is_there_when_the_page_is_opened_offline(
    live: Live, learner: Person, open_page: Callable[..., Page]
) -> None:
    page = open_page(learner, watch=False)
    course = db.session.scalars(select(Course)).one()
    take(learner, course, 2)
    db.session.commit()
    page.goto(live.url("/courses/ask/why/which"))
    prefetched(page)
    controlled(page)
    choose(page, 0)
    expect(page.get_by_text("Feedback 1.")).to_be_visible()
    page.wait_for_timeout(500)
    context = page.context
    context.set_offline(True)
    page.close()
    page = context.new_page()
    page.goto(live.url("/courses/ask/why/which"))
    expect(page.get_by_text("Feedback 1.")).to_be_visible()
    page.locator(".close").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "The lesson you opened last is on this phone"
    )
    screenshot(page, "player-offline-elsewhere")
    page.goto(live.url("/courses/ask/ask/several"))  # of a lesson that was not opened
    expect(page).to_have_url(live.url("/courses/"))
    page.get_by_role("link", name="Go on with the lesson").click()
    expect(page.locator("main[data-card]")).to_be_visible()


def test_signing_out_takes_the_lesson_off_the_phone_but_not_what_waits(
    live: Live, learner: Person, open_page: Callable[..., Page]
) -> None:
    page = open_page(learner, watch=False)
    course = db.session.scalars(select(Course)).one()
    take(learner, course, 2)
    db.session.commit()
    page.goto(live.url("/courses/ask/why/which"))
    prefetched(page)
    controlled(page)
    page.context.set_offline(True)
    choose(page, 1)
    expect(page.locator("[data-state]")).to_contain_text(KEPT)
    page.context.clear_cookies()  # signed out elsewhere, say; the answer has not been sent yet
    page.goto("about:blank")
    page.context.set_offline(False)
    page.goto(live.url("/sign-in"))
    waits(page, "() => document.documentElement.dataset.forgotten === 'yes'")
    assert page.evaluate("async () => (await caches.keys()).length") == 0
    page.context.set_offline(True)
    with pytest.raises(PlaywrightError):
        page.goto(live.url("/courses/ask/why/which"))
    page.context.set_offline(False)
    page.context.add_cookies([session_cookie(live, learner)])  # type: ignore[list-item]
    page.goto(live.url("/courses/ask/why/which"))
    expect(page.get_by_text("That is right.")).to_be_visible(timeout=15_000)
    assert answers() == {"which": ["1"]}


def test_it_works_with_javascript_off(
    live: Live, learner: Person, open_page: Callable[..., Page]
) -> None:
    page = open_page(learner, javascript=False)
    page.goto(live.url("/courses/ask/"))
    press(page)
    for card in ("hello", "habits", "which"):
        at(page, card)
        if card != "which":
            press(page)
    choose(page, 2)
    expect(page.get_by_text("Not this one.", exact=False)).to_be_visible()
    press(page)
    at(page, "so")


def test_two_taps_are_one_answer(
    live: Live, learner: Person, open_page: Callable[..., Page]
) -> None:
    page = open_page(learner)
    page.goto(live.url("/courses/ask/"))
    press(page)
    press_until(page, "which")
    page.locator(".choice").nth(1).click()
    page.locator("footer.foot .button").dblclick()
    expect(
        page.get_by_text("That is right.").or_(page.locator('main[data-card$="/so"]'))
    ).to_be_visible()
    assert answers() == {"which": ["1"]}
    assert told("answered") == 1


def test_keys_alone_are_enough(live: Live, learner: Person, open_page: Callable[..., Page]) -> None:
    page = open_page(learner, size=DESK)
    page.goto(live.url("/courses/ask/"))
    press(page)
    press_until(page, "which")
    page.locator(".choice input").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".choice input").nth(1)).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_text("That is right.")).to_be_visible()


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (DESK, True)])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    live: Live, learner: Person, open_page: Callable[..., Page], size: Any, dark: bool
) -> None:
    course = db.session.scalars(select(Course)).one()
    take(learner, course)
    second = make_course("two")
    take(learner, second, 2)
    db.session.commit()
    page = open_page(learner, size=size, dark=dark)
    for path in (
        "/courses/",
        "/courses/ask/",
        "/courses/paths/first",
        "/courses/ask/why/hello",
        "/courses/ask/why/which",
        "/courses/ask/ask/mission",
        "/courses/two/why/which",
        "/courses/ask/why/done",
        "/courses/ask/done",
    ):
        page.goto(live.url(path))
        assert axe(page) == [], path
        assert overflow(page) == 0, path


def test_an_english_summary_keeps_its_order_on_an_arabic_page(
    live: Live, open_page: Callable[..., Page]
) -> None:
    person = make_person("Imani Okafor", language="ar")
    make_path(make_course("ask"), slug="first")
    db.session.commit()
    page = open_page(person)
    page.goto(live.url("/courses/paths/first"))
    summary = page.locator(".step .small").last
    expect(summary).to_contain_text("questions that get answers.")
    assert summary.evaluate("span => getComputedStyle(span).unicodeBidi") == "isolate"
