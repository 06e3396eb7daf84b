"""A stranger's card type: written, read, validated, shown, answered, counted like ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import select

from courses.catalogue import cards
from courses.catalogue.cards import CardTextError, CardType, Renderer, Score, card_types
from courses.exchange.course_text import format_course, parse_course
from courses.exchange.services import import_course
from courses.progress.models import Answer
from lms.db import db
from lms.errors import Invalid, Misconfigured
from lms.people.models import Person
from tests.factories.people import make_person

LESSON = """---
title: Warm up
minutes: 1
---

## How many people do you know here? {#how-many}

A guess will do.

```number
answer: 150
near: 50
```
"""
TEMPLATE = """<h1>{{ card.heading }}</h1>{{ view.text | safe }}
{% if answer %}<p>It is {{ view.number }}. You said {{ answer.response[0] }}.</p>
{% else %}<label>A number <input name="response"></label>{% endif %}"""


class NumberCard:
    """A guess at a number."""

    name = "number"
    label = "Number"
    template = "stranger/number.html"

    def recognises(self, body: str) -> bool:
        return "```number" in body

    def parse(self, body: str, flags: frozenset[str]) -> dict[str, Any]:
        text, _, block = body.partition("```number\n")
        found = re.match(r"answer: (\d+)\nnear: (\d+)\n```\Z", block)
        if found is None:
            raise CardTextError(body.count("\n"), "Write answer and near, each a number.")
        return {"text": text.strip(), "answer": int(found[1]), "near": int(found[2])}

    def serialise(self, data: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        block = f"```number\nanswer: {data['answer']}\nnear: {data['near']}\n```"
        return f"{data['text']}\n\n{block}", ()

    def validate(self, data: Mapping[str, Any], media: frozenset[str]) -> Sequence[str]:
        return [] if data["near"] else ["Allow for a little error."]

    def asks(self, data: Mapping[str, Any]) -> bool:
        return True

    def score(self, data: Mapping[str, Any], response: Sequence[str]) -> Score:
        if len(response) != 1 or not response[0].isdigit():
            raise Invalid("Write a number.")
        off = abs(int(response[0]) - data["answer"])
        return Score(max(0.0, 1 - off / data["near"]), off == 0)

    def present(self, data: Mapping[str, Any], render: Renderer) -> Mapping[str, Any]:
        return {"text": render(data["text"]), "number": data["answer"]}

    def live(self, data: Mapping[str, Any], person_id: int) -> Mapping[str, Any]:
        return {}


class Entry:
    """An entry point as a stranger's package would have it."""

    def __init__(self, name: str, value: object) -> None:
        self.name = name
        self.value = "acme:card"
        self.found = value

    def load(self) -> object:
        return self.found


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, object], None]]:
    """A function that installs a card type beside ours."""

    def install(name: str, value: object) -> None:
        installed = [*entry_points(group=cards.ENTRY_POINTS), Entry(name, value)]
        monkeypatch.setattr(cards, "entry_points", lambda group: installed)
        card_types.cache_clear()

    yield install
    card_types.cache_clear()


def course(lesson: str = LESSON) -> dict[str, bytes]:
    """Return a course's files."""
    head = b"---\ntitle: Warm up\nsummary: One question.\nlanguage: en\n---\n"
    return {"course.md": head, "01-warm-up.md": lesson.encode()}


def test_a_strangers_card_goes_the_whole_way(
    app: Flask,
    offer: Callable[[str, object], None],
    sign_in: Callable[[Person], FlaskClient],
) -> None:
    offer("number", NumberCard())
    loader = app.jinja_env.loader
    assert loader is not None
    app.jinja_env.loader = ChoiceLoader([DictLoader({"stranger/number.html": TEMPLATE}), loader])
    assert format_course(parse_course(course())) == course()
    with pytest.raises(Invalid, match=r"01-warm-up\.md, line 6: Allow for a little"):
        parse_course(course(LESSON.replace("near: 50", "near: 0")))
    with pytest.raises(Invalid, match=r"01-warm-up\.md, line 12: Write answer and near"):
        parse_course(course(LESSON.replace("near: 50", "near: far")))
    import_course("warm-up", course())
    db.session.commit()
    browser = sign_in(make_person())
    url = browser.post("/courses/warm-up/start").headers["Location"]
    page = browser.get(url).text
    assert "A number <input" in page
    attempt = re.findall(r'name="attempt" value="([^"]+)"', page)[0]
    data = {"attempt": attempt, "act": "answer"}
    refused = browser.post(url, data=data | {"response": "many"})
    assert (refused.status_code, "Write a number." in refused.text) == (422, True)
    assert browser.post(url, data=data | {"response": "140"}).status_code == 303
    assert "It is 150. You said 140." in browser.get(url).text
    assert db.session.scalars(select(Answer.score_scaled)).one() == pytest.approx(0.8)


def test_ours_come_the_same_way_and_text_takes_what_is_left() -> None:
    assert list(card_types()) == ["choice", "mission", "text"]
    assert all(isinstance(one, CardType) for one in card_types().values())


@pytest.mark.parametrize("wrong", [object(), NumberCard()])
def test_what_is_no_card_type_of_that_name_stops_in_words(
    offer: Callable[[str, object], None], wrong: object
) -> None:
    offer("hologram", wrong)
    with pytest.raises(Misconfigured, match="hologram = acme:card does not lead to a card type"):
        card_types()
