"""Forms of cards: what is typed is kept, what cannot be kept is refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from courses.authoring.card_forms import FORMS, ChoiceForm, form_for
from courses.catalogue.cards import get_card_type
from lms.errors import Invalid

TEXTS = st.text(max_size=60)


def option(n: int, text: str, feedback: str = "", right: bool = False) -> dict[str, str]:
    found = {f"option-{n}-text": text, f"option-{n}-feedback": feedback}
    return found | ({f"option-{n}-right": "1"} if right else {})


@pytest.mark.parametrize("kind", FORMS)
def test_a_new_card_can_be_opened_and_kept_at_once(app: Flask, kind: str) -> None:
    form = FORMS[kind]
    blank = form.blank()
    form.shown(blank)
    get_card_type(kind).validate(blank, frozenset())
    assert get_card_type(kind).present(blank, lambda text: text) is not None


def test_options_keep_their_order_and_empty_ones_go(app: Flask) -> None:
    sent = {
        "text": "What do you do?\r\n",
        **option(10, "third", "c"),
        **option(2, "second\nline", "b\n\nmore  "),
        **option(0, "first", "a", right=True),
        **option(5, "  ", " "),
    }
    found = ChoiceForm().read(sent, {})
    assert [said["text"] for said in found["options"]] == ["first", "second line", "third"]
    assert found["options"][1]["feedback"] == "b\n\nmore"
    assert found["text"] == "What do you do?"
    assert found["multiple"] is False


def test_two_right_options_make_a_multiple_choice(app: Flask) -> None:
    sent = {"text": "Which?", **option(0, "a", "x", True), **option(1, "b", "y", True)}
    assert ChoiceForm().read(sent, {})["multiple"] is True


@given(
    st.lists(st.tuples(TEXTS, TEXTS, st.booleans()), min_size=2, max_size=6),
    TEXTS,
)
def test_what_validates_is_told_in_text_exactly(
    options: list[tuple[str, str, bool]], text: str
) -> None:
    """A question that the form lets through and the validator accepts survives the text format."""
    sent = {"text": text}
    for n, (said, feedback, right) in enumerate(options):
        sent |= option(n, said, feedback, right)
    data = ChoiceForm().read(sent, {})
    kind = get_card_type("choice")
    if not kind.validate(data, frozenset()):
        body, flags = kind.serialise(data)
        assert kind.parse(body, frozenset(flags)) == data


MISSION = {"text": "Reply.", "measure": "esn.recipients", "verb": "replied", "at_least": "3"}


def test_a_mission_says_only_what_narrows(app: Flask) -> None:
    form = form_for("mission")
    assert form.read(MISSION | {"within_days": "", "client": "", "group_kind": ""}, {}) == {
        "text": "Reply.",
        "measure": "esn.recipients",
        "verb": "replied",
        "at_least": 3,
    }
    assert form.read(MISSION | {"within_days": "14"}, {})["within_days"] == 14


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"at_least": "three"}, "whole number from 1 to 1,000"),
        ({"at_least": "-1"}, "whole number"),
        ({"within_days": "10000"}, "whole number"),
        ({"measure": "os.system"}, "not among the choices"),
        ({"verb": "<b>"}, "not among the choices"),
        ({"client": "fridge"}, "not among the choices"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(app: Flask, wrong: dict[str, Any], says: str) -> None:
    with app.test_request_context(), pytest.raises(Invalid, match=says):
        form_for("mission").read(MISSION | wrong, {})


def test_a_text_too_long_is_refused_and_a_strange_character_dropped(app: Flask) -> None:
    form = form_for("text")
    assert form.read({"text": "a\x00b\x1bc"}, {})["text"] == "abc"
    with app.test_request_context(), pytest.raises(Invalid, match="20,000 characters"):
        form.read({"text": "a" * 20_001}, {})
