"""Sentences with a number in them, in five languages: whole, in the right form, and in one voice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from flask import Flask
from flask_babel import force_locale, format_number, ngettext

from esn.measures.words import lacking_acts, lacking_days, lacking_groups, lacking_recipients
from esn.measures.words import with_day as sentence
from esn.vocabulary import Act
from lms.number_words import counted, in_words
from lms.web.i18n import LANGUAGES
from tests.contract import catalogues

pytestmark = pytest.mark.house
NUMBERS = (1, 2, 3, 5, 11, 100)
PLACE = re.compile(r"%\((\w+)\)([ds])")
LACKING = (lacking_acts, lacking_recipients, lacking_days, lacking_groups)
VERBS = (None, *Act)
# One thing to do in other words: nobody reads the difference between a reply and a comment.
ALIKE = {Act.REPLIED: "answer", Act.ANSWERED: "answer", Act.COMMENTED: "answer"}


@pytest.fixture(scope="module")
def source() -> Catalog:
    return catalogues.extract()


def plurals(source: Catalog) -> Iterator[tuple[str, str]]:
    for message in source:
        if message.id and message.pluralizable:
            yield message.id[0], message.id[1]


def told(one: str, many: str, number: int) -> str:
    """Return the sentence with its other places filled in as a page does."""
    places: dict[str, Any] = {
        name: 7 if kind == "d" else "§" for name, kind in PLACE.findall(one + many) if name != "num"
    }
    if "count" in places:
        places["count"] = in_words(number)
    return str(ngettext(one, many, number, **places))


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_sentence_says_its_number(app: Flask, source: Catalog, language: str) -> None:
    wrong = []
    with app.test_request_context(), force_locale(language):
        for one, many in plurals(source):
            for number in (0, *NUMBERS):
                said = told(one, many, number)
                if "%(" in said or not said.strip():
                    wrong.append(f"{number}: {said!r}")
                # One, two and tomorrow have forms of their own; from three on the number stands there.
                if number > 2 and not _says(said, number) and PLACE.search(many):
                    wrong.append(f"{number} is missing: {said!r}")
    assert wrong == []


def _says(said: str, number: int) -> bool:
    words = (in_words(number), str(number), format_number(number))
    return any(re.search(rf"(?<!\d){re.escape(word)}(?!\d)", said, re.IGNORECASE) for word in words)


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_no_counted_sentence_is_left_in_english(app: Flask, source: Catalog, language: str) -> None:
    with app.test_request_context():
        english = {(one, n): told(one, many, n) for one, many in plurals(source) for n in NUMBERS}
        with force_locale(language):
            same = {one for one, many in plurals(source) for n in NUMBERS
                    if told(one, many, n) == english[one, n]}  # fmt: skip
    assert {one for one in same if re.search(r"[a-z]{4}", PLACE.sub("", one))} <= SAME_WORDS


# "minute" is French too, and so is "condition".
SAME_WORDS = {"%(num)d minute", "%(num)s minute"}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("lacking", LACKING)
def test_what_is_missing_names_the_act_that_counts(app: Flask, language: str, lacking: Any) -> None:
    with app.test_request_context(), force_locale(language):
        for number in NUMBERS:
            said = {verb: sentence(lacking(number, verb), None) for verb in VERBS}
            assert not [text for text in said.values() if "%(" in text or not text.endswith(".")]
            if number > 2:
                assert [text for text in said.values() if not _says(text, number)] == []
            kinds = {ALIKE.get(verb, verb) for verb in said}  # type: ignore[arg-type]
            assert len(set(said.values())) == len(kinds), said


def test_the_same_number_reads_the_same_in_one_sentence_and_the_next(app: Flask) -> None:
    one, many = "You have earned one", "You have earned %(count)s"
    with app.test_request_context():
        assert [counted(one, many, n) for n in (1, 2, 12, 13, 1234)] == [
            "You have earned one",
            "You have earned two",
            "You have earned twelve",
            "You have earned 13",
            "You have earned 1,234",
        ]


def test_a_sentence_begins_with_a_capital_in_whatever_language(app: Flask) -> None:
    with app.test_request_context():
        assert counted(
            "One path is open for you", "%(count)s paths are open for you", 2
        ).startswith("Two paths")
        with force_locale("de"):
            said = counted("One more post", "%(count)s more posts", 3)
    assert said == "Noch drei Beiträge"


def test_a_sentence_that_says_one_says_two_as_well(source: Catalog) -> None:
    words = re.compile(r"\b[Oo]ne (?!more day|day)\w+")
    mixed = [one for one, many in plurals(source) if words.search(one) and "%(num)" in many]
    assert [one for one in mixed if one not in FIGURES] == []


# Sentences about the machine, where figures are compared with other figures on the page.
FIGURES: set[str] = set()
