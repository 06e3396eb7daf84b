"""The player without JavaScript: forms, redirects, and what a page costs."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from courses.blocks.content import get_content
from courses.progress.models import Answer, Attempt
from courses.progress.walk import take
from lms.db import db
from lms.people.models import Person
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_person
from tests.queries import counted

SignIn = Callable[[Person], FlaskClient]
PAGE_QUERIES_MAX = 8


def fields(html: str) -> dict[str, str]:
    """Return the hidden fields of the card's form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))


def press(browser: FlaskClient, url: str, **more: object) -> str:
    """Open a card, press its button, and return where that leads."""
    page = browser.get(url).text
    answer = browser.post(url, data=fields(page) | more)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_a_whole_course_by_forms_alone(app: Flask, sign_in: SignIn) -> None:
    course = make_course("ask")
    person = make_person()
    browser = sign_in(person)
    assert "Start" in browser.get("/courses/ask/").text
    url = browser.post("/courses/ask/start").headers["Location"]
    assert url == "/courses/ask/why/hello"
    url = press(browser, url)
    url = press(browser, url)
    assert url == "/courses/ask/why/which"
    assert press(browser, url, response="0") == url
    page = browser.get(url).text
    assert "Not this one." in page
    for number in range(3):
        assert f"Feedback {number}." in page
    url = press(browser, url)
    assert url == "/courses/ask/why/so"
    url = press(browser, url)
    assert url == "/courses/ask/why/done"
    page = browser.get(url).text
    assert "Lesson 1 of 2 done" in page
    assert "right the first time: 0 of 1." in page
    url = "/courses/ask/ask/several"
    assert f'href="{url}"' in page
    press(browser, url, response=["0", "1"])
    page = browser.get(url).text
    assert "Not this time" in page
    press(browser, url)
    press(browser, "/courses/ask/ask/last", response="1")
    press(browser, "/courses/ask/ask/last")
    url = press(browser, "/courses/ask/ask/mission")
    assert url == "/courses/ask/done"
    page = browser.get(url).text
    assert "Not there yet: 0 of 3 right" in page
    assert "Two right answers pass" in page
    url = browser.post("/courses/ask/start").headers["Location"]
    for card, right in (("which", "1"), ("several", ["0", "2"]), ("last", "0")):
        assert url.endswith(card)
        press(browser, url, response=right)
        assert "That is right." in browser.get(url).text
        url = press(browser, url)
    page = browser.get(url).text
    assert "Course finished" in page
    assert "3 of 3 questions right." in page
    assert "You passed." in page
    assert "Finished on" in browser.get("/courses/ask/").text
    assert db.session.query(Attempt).where(Attempt.course_id == course.id).count() == 2


def test_feedback_and_right_answers_come_only_after_answering(app: Flask, sign_in: SignIn) -> None:
    make_course("ask")
    browser = sign_in(make_person())
    browser.post("/courses/ask/start")
    for card in ("hello", "habits"):
        press(browser, f"/courses/ask/why/{card}")
    page = browser.get("/courses/ask/why/which").text
    pack = browser.get("/courses/pack/ask/why").json
    assert pack is not None
    for text in (page, *(card["html"] for card in pack["cards"])):
        assert "Feedback" not in text
        assert "right" not in text.replace("All rights", "")
    assert [card["url"] for card in pack["cards"]][2] == "/courses/ask/why/which"


def test_another_device_opens_the_very_card(app: Flask, sign_in: SignIn) -> None:
    make_course("ask")
    person = make_person()
    phone, desk = sign_in(person), sign_in(person)
    phone.post("/courses/ask/start")
    press(phone, "/courses/ask/why/hello")
    assert 'href="/courses/ask/why/habits"' in desk.get("/courses/ask/").text
    assert desk.get("/courses/ask/why/").headers["Location"] == "/courses/ask/why/habits"
    # a card that is not reached yet leads back
    ahead = desk.get("/courses/ask/ask/last")
    assert ahead.headers["Location"] == "/courses/ask/why/habits"


def test_a_press_without_a_choice_keeps_the_card_and_says_so(app: Flask, sign_in: SignIn) -> None:
    make_course("ask")
    browser = sign_in(make_person())
    browser.post("/courses/ask/start")
    for card in ("hello", "habits"):
        press(browser, f"/courses/ask/why/{card}")
    url = "/courses/ask/why/which"
    answer = browser.post(url, data=fields(browser.get(url).text))
    assert answer.status_code == 422
    assert "Choose an answer first." in answer.text
    assert 'value="0"' in answer.text
    assert db.session.scalars(select(Answer)).all() == []


def test_nobody_answers_in_anothers_attempt(app: Flask, sign_in: SignIn) -> None:
    course = make_course("ask")
    owner, other = make_person(), make_person()
    attempt = take(owner, course, 2)
    take(other, course, 2)
    db.session.commit()
    answer = sign_in(other).post(
        "/courses/ask/why/which",
        data={"attempt": attempt.registration, "act": "answer", "response": "1"},
    )
    assert answer.status_code == 404
    assert db.session.scalars(select(Answer)).all() == []


def test_what_waited_on_a_phone_keeps_its_time_within_reason(app: Flask, sign_in: SignIn) -> None:
    course = make_course("ask")
    person = make_person()
    attempt = take(person, course, 2)
    db.session.commit()
    for stamp in ("99999999999999999999", "nonsense", "0", str(2**53)):
        data = {
            "attempt": attempt.registration,
            "act": "answer",
            "response": "1",
            "answered_at": stamp,
        }
        assert sign_in(person).post("/courses/ask/why/which", data=data).status_code == 303
        kept = db.session.scalars(select(Answer)).one()
        assert kept.answered_at >= attempt.started_at
        db.session.delete(kept)
        db.session.commit()


def test_a_lesson_page_costs_few_queries_and_none_for_its_text(app: Flask, sign_in: SignIn) -> None:
    course = make_course("ask")
    make_path(course)
    person = make_person()
    attempt = take(person, course, 2)
    get_content(attempt.version_id)
    db.session.commit()
    browser = sign_in(person)
    other = make_person()
    take(other, course)
    get_content(attempt.version_id)
    far = sign_in(other)
    with counted() as queries:
        assert far.get("/courses/ask/ask/mission").status_code == 200
    assert len(queries) <= PAGE_QUERIES_MAX, queries
    for url in ("/courses/ask/why/which", "/courses/ask/why/hello"):
        with counted() as queries:
            assert browser.get(url).status_code == 200
        assert len(queries) <= PAGE_QUERIES_MAX, queries
        assert not any("courses_version" in query for query in queries)
    for url in ("/courses/", "/courses/ask/", "/", "/courses/pack/ask/why"):
        with counted() as queries:
            assert browser.get(url).status_code == 200
        assert len(queries) <= PAGE_QUERIES_MAX + 4, (url, queries)


def test_an_author_previews_the_draft_in_the_real_player(app: Flask, sign_in: SignIn) -> None:
    make_course("ask")
    author = make_person(is_author=True)
    browser = sign_in(author)
    page = browser.get("/courses/preview/ask/which").text
    assert "Option 1" in page
    assert "Feedback" not in page
    assert "player.js" not in page
    answered = browser.get("/courses/preview/ask/which?act=answer&response=1")
    assert "That is right." in answered.text
    assert "Feedback 2." in answered.text
    assert "frame-ancestors 'self'" in answered.headers["Content-Security-Policy"]
    assert "Choose an answer first." in browser.get("/courses/preview/ask/which?act=answer").text
    assert sign_in(make_person()).get("/courses/preview/ask/which").status_code == 404
    assert db.session.scalars(select(Attempt)).all() == []


def test_pictures_are_served_for_good(app: Flask, sign_in: SignIn) -> None:
    from tests.contract.samples_courses import course_samples

    person = make_person()
    sample = course_samples(person)
    url = f"/courses/media/{sample['sha256']}.{sample['extension']}"
    answer = sign_in(person).get(url)
    assert answer.mimetype == "image/png"
    assert "immutable" in answer.headers["Cache-Control"]
    assert sign_in(person).get(url.replace(".png", ".svg")).status_code == 404
