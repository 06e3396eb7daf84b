"""What others wrote, on its way to a page: nothing is hidden, turned around, or without end."""

from __future__ import annotations

import unicodedata

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xapi.shown import MARKS_MOST, pick, shown, shown_json

INVISIBLE = {"Cc", "Zl", "Zp", "Cs"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Imani Okafor", "Imani Okafor"),
        ("  Imani\n\tOkafor ", "Imani Okafor"),
        ("photo_\u202egnp.exe", "photo_[U+202E]gnp.exe"),
        ("bell\x07", "bell[U+0007]"),
        ("\u200fيوسف\u200e", "يوسف"),
        ("Nguyễn Văn Ân", "Nguyễn Văn Ân"),
        ("शक्ति", "शक्ति"),
        ("👩🏽‍🚀", "👩🏽‍🚀"),
        ("tag\U000e0041", "tag[U+E0041]"),
        ("", ""),
    ],
)
def test_what_is_hidden_is_named_and_the_rest_stays(written: str, read: str) -> None:
    assert shown(written) == read


def test_it_ends() -> None:
    assert shown("x" * 500, 10) == "x" * 10 + "…"
    assert shown("e" + "\u0301" * 500) == "e" + "\u0301" * MARKS_MOST + "…"


@given(st.text(), st.integers(min_value=1, max_value=300))
def test_every_character_shown_is_seen(text: str, most: int) -> None:
    found = shown(text, most)
    assert len(found) <= most + 1
    for char in found:
        category, turns = unicodedata.category(char), unicodedata.bidirectional(char)
        assert category not in INVISIBLE, hex(ord(char))
        # Of what Unicode calls format characters some are printed: the Arabic number sign.
        assert category != "Cf" or not turns.startswith(("LR", "RL", "PD", "FS")), hex(ord(char))


@given(st.recursive(st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_json_that_is_shown_says_the_same(value: object) -> None:
    try:
        orjson.dumps(value)
    except TypeError:  # lone surrogates are no text
        return
    text = shown_json(value)
    assert orjson.loads(text) == value
    assert not set(text) & {"\u202e", "\u2066", "\u200f", "\x7f", "\u2028", "\u200b"}


@pytest.mark.parametrize(
    ("texts", "language", "found"),
    [
        ({"en": "a", "de": "b"}, "de", ("b", "de")),
        ({"en": "a", "de-AT": "b"}, "de", ("b", "de-at")),
        ({"en": "a", "de": "b"}, "de-CH", ("b", "de")),
        ({"fr": "c", "en-US": "a"}, "ar", ("a", "en-us")),
        ({"fr": "c", "es": "d"}, "ar", ("c", "fr")),
        ({}, "ar", ("", "")),
        (None, "ar", ("", "")),
    ],
)
def test_the_language_that_serves_best(
    texts: object, language: str, found: tuple[str, str]
) -> None:
    assert pick(texts, language) == found
