"""The author's pages without a script: the whole way, and what must not get through."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from courses.authoring import outline, services
from courses.catalogue.models import Course
from courses.catalogue.services import draft_of, get_course
from lms.db import db
from lms.people.models import Person
from tests.factories.people import make_person

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'
JSON = {"Accept": "application/json"}


@pytest.fixture
def author(app: Flask) -> Person:
    return make_person("Leila Haddad", is_author=True)


@pytest.fixture
def browser(sign_in: Any, author: Person) -> FlaskClient:
    found: FlaskClient = sign_in(author)
    return found


@pytest.fixture
def course(app: Flask, author: Person) -> Course:
    made = services.start_course("Ask well", "Questions that get answers.", author.id)
    db.session.commit()
    return made


def at(course: Course, rest: str = "") -> str:
    return f"/courses/authoring/{course.slug}/{rest}"


def fresh(course: Course) -> Any:
    db.session.expire_all()
    document = draft_of(get_course(course.slug))
    db.session.rollback()
    return document


def new_card(browser: FlaskClient, course: Course, kind: str = "text") -> str:
    lesson = fresh(course).lessons[0].id
    answer = browser.post(at(course, f"lessons/{lesson}/cards"), data={"kind": kind})
    assert answer.status_code == 302
    return str(answer.location.rsplit("/", 1)[1])


def base(browser: FlaskClient, course: Course, card_id: str) -> str:
    page = browser.get(at(course, f"cards/{card_id}")).get_data(as_text=True)
    found = re.search(r'name="base" value="(\w+)"', page)
    assert found
    return found[1]


def test_the_whole_way_by_forms_alone(browser: FlaskClient) -> None:
    answer = browser.post(
        "/courses/authoring/new", data={"title": "  Lift   well ", "summary": "Spare your back."}
    )
    assert answer.location == "/courses/authoring/lift-well/"
    course = get_course("lift-well")
    browser.post(at(course, "lessons"), data={"title": "Second"})
    card_id = new_card(browser, course, "choice")
    options = {"option-0-text": "Bend the knees", "option-0-right": "1", "option-1-text": "Hurry"}
    sent = {"heading": "How?", "text": "A box.", "base": base(browser, course, card_id), **options}
    answer = browser.post(at(course, f"cards/{card_id}"), data=sent | {"do": "stay"})
    assert answer.status_code == 302
    page = browser.get(at(course, "publish"))
    text = page.get_data(as_text=True)
    assert "things to mend first" in text
    assert "Option 1: write feedback" in text
    assert "The lesson “Second” has no card yet." in text
    assert f'href="/courses/authoring/lift-well/cards/{card_id}"' in text
    refused = browser.post(at(course, "publish"))
    assert refused.status_code == 422
    assert get_course("lift-well").published_number == 0
    db.session.rollback()
    feedback = {"option-0-feedback": "It spares the back.", "option-1-feedback": "It hurts."}
    sent |= {"base": base(browser, course, card_id)} | feedback
    browser.post(at(course, f"cards/{card_id}"), data=sent)
    second = fresh(course).lessons[1].id
    assert browser.get(at(course, f"lessons/{second}/remove")).status_code == 200
    browser.post(at(course, f"lessons/{second}/remove"))
    answer = browser.post(at(course, "publish"), follow_redirects=True)
    assert "Version 1 is published." in answer.get_data(as_text=True)
    assert "Everything is published" in browser.get(at(course, "publish")).get_data(as_text=True)


def test_autosave_answers_in_json_and_a_conflict_keeps_both(
    browser: FlaskClient, sign_in: Any, course: Course
) -> None:
    card_id = new_card(browser, course)
    url = at(course, f"cards/{card_id}")
    seen = base(browser, course, card_id)
    saved = browser.post(
        url, data={"heading": "Hers", "text": "by Leila", "base": seen}, headers=JSON
    )
    assert saved.status_code == 200
    assert saved.json is not None
    assert saved.json["saved"].startswith("Saved at ")
    assert saved.json["problems"] == []
    assert saved.json["base"] != seen
    other = sign_in(make_person("Jonas Brandt", is_author=True))
    mine = {"heading": "His", "text": "by Jonas", "base": seen}
    refused = other.post(url, data=mine, headers=JSON)
    assert refused.status_code == 409
    assert refused.json is not None
    assert "Nothing was overwritten" in refused.json["error"]
    page = other.post(url, data=mine)
    text = page.get_data(as_text=True)
    assert page.status_code == 409
    assert "by Leila" in text
    assert "by Jonas" in text
    assert fresh(course).find_card(card_id).heading == "Hers"
    shown = re.search(r'name="base" value="(\w+)"', text)
    assert shown
    assert other.post(url, data=mine | {"base": shown[1]}).status_code == 302
    assert fresh(course).find_card(card_id).heading == "His"


def test_a_form_that_is_refused_keeps_what_was_typed(browser: FlaskClient, course: Course) -> None:
    card_id = new_card(browser, course, "mission")
    sent = {
        "heading": "A mission",
        "text": "Long thoughts about replying.",
        "measure": "esn.recipients",
        "verb": "replied",
        "at_least": "many",
        "base": base(browser, course, card_id),
    }
    page = browser.post(at(course, f"cards/{card_id}"), data=sent)
    assert page.status_code == 422
    assert "Long thoughts about replying." in page.get_data(as_text=True)
    assert "whole number from 1 to 1,000" in page.get_data(as_text=True)
    answer = browser.post(at(course, f"cards/{card_id}"), data=sent, headers=JSON)
    assert answer.status_code == 422
    assert fresh(course).find_card(card_id).data["text"] == ""


@pytest.mark.parametrize(
    ("rest", "sent", "says"),
    [
        ("about", {"title": "", "language": "en"}, "Give the course a title."),
        ("about", {"title": "A", "language": "<b>"}, "such as en or de"),
        ("about", {"title": "A" * 201, "language": "en"}, "200 characters at most"),
        ("about", {"title": "A", "language": "en", "pass_score": "7"}, "Choose one from the list"),
        ("lessons/first-lesson", {"title": "", "minutes": "3"}, "Give the lesson a title."),
        ("lessons/first-lesson", {"title": "A", "minutes": "0"}, "1 to 60 minutes"),
        ("lessons/first-lesson", {"title": "A", "minutes": "x"}, "Write a whole number"),
    ],
)
def test_bad_input_is_answered_in_a_sentence(
    browser: FlaskClient, course: Course, rest: str, sent: dict[str, str], says: str
) -> None:
    before = fresh(course)
    page = browser.post(at(course, rest), data=sent)
    assert page.status_code == 422
    assert says in page.get_data(as_text=True)
    assert fresh(course) == before


@pytest.mark.parametrize("what", ["no file", "no words", "no picture"])
def test_a_picture_needs_a_file_words_and_pixels(
    browser: FlaskClient, course: Course, what: str
) -> None:
    card_id = new_card(browser, course)
    made = io.BytesIO()
    Image.new("RGB", (4, 4)).save(made, "PNG")
    content = b"<svg onload=alert(1)>" if what == "no picture" else made.getvalue()
    sent: dict[str, Any] = {"alternative": "" if what == "no words" else "A desk"}
    if what != "no file":
        sent["picture"] = (io.BytesIO(content), "desk.png")
    answer = browser.post(at(course, f"cards/{card_id}/picture"), data=sent, headers=JSON)
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["error"].endswith(".")
    assert fresh(course).media == {}


def test_hostile_text_stays_text_everywhere(browser: FlaskClient, app: Flask) -> None:
    browser.post("/courses/authoring/new", data={"title": HOSTILE, "summary": HOSTILE})
    rows = services.list_courses()
    course = rows[0][0]
    lesson = draft_of(course).lessons[0].id
    slug = course.slug
    db.session.rollback()
    browser.post(
        at(course, f"lessons/{lesson}"),
        data={
            "title": HOSTILE,
            "minutes": "3",
            "base": outline.fingerprint(draft_of(get_course(slug)).lessons[0]),
        },
    )
    cards = {}
    for kind in ("text", "choice", "mission"):
        cards[kind] = card_id = new_card(browser, course, kind)
        sent = {
            "heading": HOSTILE,
            "text": HOSTILE + "\n\n[x](javascript:alert(3)) ![" + HOSTILE + "](media/x.png)",
            "option-0-text": HOSTILE,
            "option-0-feedback": HOSTILE,
            "option-0-right": "1",
            "option-1-text": "b",
            "option-1-feedback": "c",
            "measure": "esn.acts",
            "verb": "posted",
            "at_least": "1",
            "group_kind": HOSTILE,
            "base": base(browser, course, card_id),
        }
        assert browser.post(at(course, f"cards/{card_id}"), data=sent).status_code == 302
    made = io.BytesIO()
    Image.new("RGB", (4, 4)).save(made, "PNG")
    browser.post(
        at(course, f"cards/{cards['text']}/picture"),
        data={"alternative": HOSTILE, "picture": (io.BytesIO(made.getvalue()), HOSTILE + ".png")},
    )
    addresses = ["/courses/authoring/", "/courses/authoring/?q=" + HOSTILE]
    addresses += [at(course, rest) for rest in ("", "about", "publish", f"lessons/{lesson}")]
    for card_id in cards.values():
        addresses += [at(course, f"cards/{card_id}"), at(course, f"cards/{card_id}/remove")]
        addresses.append(f"/courses/preview/{slug}/{card_id}")
    addresses.append(f"/courses/preview/{slug}/{cards['choice']}?response=0")
    for address in addresses:
        page = browser.get(address)
        text = page.get_data(as_text=True)
        assert page.status_code == 200, address
        assert "<script>alert" not in text, address
        assert "onerror=alert" not in re.sub(r"&lt;img src=x onerror=alert", "", text), address
        assert 'href="javascript:' not in text, address
    conflict = browser.post(
        at(course, f"cards/{cards['text']}"), data={"text": HOSTILE, "base": "old"}
    )
    assert conflict.status_code == 409
    assert "<script>alert" not in conflict.get_data(as_text=True)


def test_a_course_goes_out_and_comes_back(browser: FlaskClient, course: Course) -> None:
    refused = browser.get(at(course, "export"))
    assert refused.status_code == 422
    card_id = new_card(browser, course)
    sent = {"heading": "Hi", "text": "Hello.", "base": base(browser, course, card_id)}
    browser.post(at(course, f"cards/{card_id}"), data=sent)
    packed = browser.get(at(course, "export"))
    assert packed.headers["Content-Disposition"] == 'attachment; filename="ask-well.zip"'
    names = zipfile.ZipFile(io.BytesIO(packed.data)).namelist()
    assert names == ["01-first-lesson.md", "course.md"]
    answer = browser.post(
        "/courses/authoring/import", data={"file": (io.BytesIO(packed.data), "ask-well.zip")}
    )
    assert answer.location == "/courses/authoring/ask-well-2/"
    assert fresh(get_course("ask-well-2")) == fresh(course)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_an_import_that_is_no_course_says_so(browser: FlaskClient, content: bytes) -> None:
    page = browser.post("/courses/authoring/import", data={"file": (io.BytesIO(content), "x.zip")})
    assert page.status_code == 422
    assert 'class="error"' in page.get_data(as_text=True)


def test_cards_and_lessons_move_by_buttons(browser: FlaskClient, course: Course) -> None:
    one, two = new_card(browser, course), new_card(browser, course)
    answer = browser.post(at(course, f"cards/{two}/move"), data={"to": "up"})
    assert answer.location.endswith(f"#card-{two}")
    assert [card.id for _, card in fresh(course).cards()] == [two, one]
    browser.post(at(course, "lessons"), data={"title": "Second"})
    second = fresh(course).lessons[1].id
    browser.post(at(course, f"lessons/{second}/move"), data={"to": "up"})
    assert fresh(course).lessons[0].id == second


def test_an_old_draft_is_thrown_away_only_when_asked(browser: FlaskClient, course: Course) -> None:
    card_id = new_card(browser, course)
    url = at(course, f"cards/{card_id}")
    browser.post(url, data={"text": "One.", "base": base(browser, course, card_id)})
    browser.post(at(course, "publish"))
    browser.post(url, data={"text": "Two.", "base": base(browser, course, card_id)})
    assert "Throw the draft away?" in browser.get(at(course, "discard")).get_data(as_text=True)
    assert fresh(course).find_card(card_id).data["text"] == "Two."
    browser.post(at(course, "discard"))
    assert fresh(course).find_card(card_id).data["text"] == "One."


def test_a_learner_finds_nothing_here(sign_in: Any, course: Course) -> None:
    learner = sign_in(make_person("Imani Okafor"))
    assert learner.get("/courses/authoring/").status_code == 404
    assert learner.post(at(course, "publish")).status_code == 404


def test_text_on_a_card_that_is_gone_comes_back(browser: FlaskClient, course: Course) -> None:
    card = new_card(browser, course)
    browser.post(at(course, f"cards/{card}/remove"))
    sent = {"base": "x", "heading": "Mine", "text": "Long and <b>dear</b>.", "do": "stay"}
    answer = browser.post(at(course, f"cards/{card}"), data=sent)
    assert answer.status_code == 404
    assert "Somebody took this card away" in answer.text
    assert "Mine\n\nLong and &lt;b&gt;dear&lt;/b&gt;." in answer.text
    told = browser.post(at(course, f"cards/{card}"), data=sent, headers=JSON)
    assert told.status_code == 404
    assert "copy it" in told.get_json()["error"]
