"""Authors side by side: nobody overwrites anybody, and nothing is saved that was not changed."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from courses.authoring import outline, services
from courses.catalogue.models import Course
from courses.catalogue.services import draft_of, publish
from courses.progress.walk import take
from lms.db import db
from lms.errors import Invalid, NotFound
from lms.people.models import Person
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_person


@pytest.fixture
def author(app: Flask) -> Person:
    return make_person("Leila Haddad", is_author=True)


@pytest.fixture
def course(app: Flask, author: Person) -> Course:
    made = services.start_course("Ask well", "Questions that get answers.", author.id)
    db.session.commit()
    return made


def add_text(course: Course, author: Person, text: str = "Hello.") -> str:
    lesson = draft_of(course).lessons[0]
    return services.add_card(course, lesson.id, "text", {"text": text}, None, author.id)


def base_of(course: Course, card_id: str) -> str:
    return outline.fingerprint(outline.get_place(draft_of(course), card_id).card)


def test_a_course_gets_a_name_that_is_free(course: Course, author: Person) -> None:
    assert course.slug == "ask-well"
    assert services.start_course("Ask well", "", author.id).slug == "ask-well-2"
    assert services.start_course("Authoring", "", author.id).slug != "authoring"
    assert services.start_course("!!!", "", author.id).slug == "course"


def test_two_authors_write_different_cards_without_a_conflict(
    course: Course, author: Person
) -> None:
    other = make_person("Jonas Brandt", is_author=True)
    one, two = add_text(course, author), add_text(course, author)
    base_one, base_two = base_of(course, one), base_of(course, two)
    services.save_card(course, one, base_one, "Hers", {"text": "by Leila"}, author.id)
    services.save_card(course, two, base_two, "His", {"text": "by Jonas"}, other.id)
    headings = [card.heading for _, card in draft_of(course).cards()]
    assert headings == ["Hers", "His"]


def test_the_same_card_is_a_conflict_that_keeps_both(course: Course, author: Person) -> None:
    card_id = add_text(course, author)
    base = base_of(course, card_id)
    services.save_card(course, card_id, base, "Hers", {"text": "by Leila"}, author.id)
    with pytest.raises(services.Edited) as caught:
        services.save_card(course, card_id, base, "His", {"text": "by Jonas"}, author.id)
    assert caught.value.theirs.data == {"text": "by Leila"}
    assert outline.get_place(draft_of(course), card_id).card.heading == "Hers"


def test_the_same_save_twice_is_no_conflict(course: Course, author: Person) -> None:
    card_id = add_text(course, author)
    base = base_of(course, card_id)
    services.save_card(course, card_id, base, "Once", {"text": "same"}, author.id)
    revision = course.draft_revision
    services.save_card(course, card_id, base, "Once", {"text": "same"}, author.id)
    assert course.draft_revision == revision


def test_lessons_and_the_description_conflict_too(course: Course, author: Person) -> None:
    document = draft_of(course)
    lesson = document.lessons[0]
    base = outline.fingerprint(lesson)
    services.save_lesson(course, lesson.id, base, "One", 3, author.id)
    with pytest.raises(services.Edited):
        services.save_lesson(course, lesson.id, base, "Two", 3, author.id)
    base = outline.fingerprint(draft_of(course))
    services.save_about(course, base, {"title": "Ask better"}, author.id)
    with pytest.raises(services.Edited):
        services.save_about(course, base, {"title": "Ask worse"}, author.id)


def test_saving_what_stands_makes_no_draft(course: Course, author: Person) -> None:
    card_id = add_text(course, author)
    services.save_card(
        course, card_id, base_of(course, card_id), "Hi", {"text": "Hello."}, author.id
    )
    publish(course, author.id)
    assert course.draft is None
    services.save_card(
        course, card_id, base_of(course, card_id), "Hi", {"text": "Hello."}, author.id
    )
    assert course.draft is None


def picture(colour: tuple[int, int, int] = (154, 91, 19)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(made, "PNG")
    return made.getvalue()


def test_a_picture_joins_the_text_with_its_words(course: Course, author: Person) -> None:
    card_id = add_text(course, author)
    hostile = "A ]( javascript:alert(1) ) [desk\n\n# big"
    for name in ("../../Mein Bild (1).PNG", "desk.png"):
        services.put_picture(course, card_id, name, picture(), hostile, author.id)
    document = draft_of(course)
    assert list(document.media) == ["mein-bild-1.png"]  # the same bytes are stored once
    text = outline.get_place(document, card_id).card.data["text"]
    assert text.count("(media/mein-bild-1.png)") == 2
    assert "\n#" not in text
    services.put_picture(course, card_id, "mein-bild-1.png", picture((1, 2, 3)), "x", author.id)
    assert set(draft_of(course).media) == {"mein-bild-1.png", "mein-bild-1-2.png"}
    with pytest.raises(Invalid, match="not a picture"):
        services.put_picture(course, card_id, "x.svg", b"<svg/>", "x", author.id)


def test_pictures_that_no_text_shows_are_dropped(course: Course, author: Person) -> None:
    card_id = add_text(course, author)
    services.put_picture(course, card_id, "desk.png", picture(), "A desk", author.id)
    assert services.drop_unused_pictures(draft_of(course)) == draft_of(course)
    services.change(course, author.id, lambda d: outline.remove_card(d, card_id))
    assert services.drop_unused_pictures(draft_of(course)).media == {}


def test_a_copy_is_its_own_course(course: Course, author: Person) -> None:
    add_text(course, author)
    copy = services.duplicate_course(course, author.id)
    assert (copy.slug, copy.title) == ("copy-of-ask-well", "Copy of Ask well")
    assert copy.published_number == 0
    assert len(list(draft_of(copy).cards())) == 1


def test_an_earlier_version_comes_back_as_the_draft(course: Course, author: Person) -> None:
    card_id = add_text(course, author, "First.")
    publish(course, author.id)
    services.save_card(
        course, card_id, base_of(course, card_id), "", {"text": "Second."}, author.id
    )
    publish(course, author.id)
    services.restore_version(course, 1, author.id)
    assert outline.get_place(draft_of(course), card_id).card.data == {"text": "First."}
    assert course.published_number == 2
    with pytest.raises(NotFound):
        services.restore_version(course, 7, author.id)


def test_courses_are_found_by_word_and_state(course: Course, author: Person) -> None:
    add_text(course, author)
    publish(course, author.id)
    services.start_course("100 % safe_ly", "Privacy", author.id)
    titles = lambda *how: [row.title for row, _ in services.list_courses(*how)]  # noqa: E731
    assert titles() == ["100 % safe_ly", "Ask well"]
    assert titles("WELL ask") == ["Ask well"]
    assert titles("%") == ["100 % safe_ly"]
    assert titles("_") == ["100 % safe_ly"]
    assert titles("", "draft") == ["100 % safe_ly"]
    assert titles("", "published") == ["Ask well"]
    assert titles("nothing") == []


def test_a_course_is_put_away_and_brought_back(sign_in: Callable[[Person], FlaskClient]) -> None:
    author = make_person("Leila Haddad", is_author=True)
    begun, fresh = make_person("Imani Okafor"), make_person("Tomasz Wrona")
    course = make_course("ask")
    take(begun, course, 1)
    db.session.commit()
    browser = sign_in(author)
    assert browser.post("/courses/authoring/ask/put-away").location == "/courses/authoring/"
    assert "Ask well" not in browser.get("/courses/authoring/").text.split("<form")[-1]
    assert "Ask well" in browser.get("/courses/authoring/?state=away").text
    assert "This course is put away" in browser.get("/courses/authoring/ask/").text
    assert sign_in(fresh).get("/courses/ask/").status_code == 404
    assert sign_in(fresh).post("/courses/ask/start").status_code == 404
    assert "Ask well" not in sign_in(fresh).get("/courses/").text
    assert sign_in(begun).get("/courses/ask/").status_code == 200  # in the middle: may finish
    assert "Ask well" in sign_in(begun).get("/courses/").text
    assert browser.post("/courses/authoring/ask/bring-back").status_code == 302
    assert sign_in(fresh).get("/courses/ask/").status_code == 200


def test_a_course_of_a_path_is_not_put_away(sign_in: Callable[[Person], FlaskClient]) -> None:
    make_path(make_course("ask"), slug="first")
    db.session.commit()
    answer = sign_in(make_person("Leila Haddad", is_author=True)).post(
        "/courses/authoring/ask/put-away"
    )
    assert answer.status_code == 409
    assert "asks for this course" in answer.text
