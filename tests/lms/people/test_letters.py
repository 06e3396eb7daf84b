"""A mail's page says what its text says, and runs nothing."""

from __future__ import annotations

from flask import Flask
from flask_babel import force_locale

from lms.people.letters import blocks, letter_html

TEXT = "Greta asks whether\nyou can look:\n\n- First <30> days\n- Second\n\nIt stands here:\nhttps://a.test/x?a=1&b=2\n"


def test_paragraphs_lists_and_addresses_are_told_apart() -> None:
    assert blocks(TEXT) == [
        ("text", ["Greta asks whether", "you can look:"]),
        ("list", ["First <30> days", "Second"]),
        ("text", ["It stands here:"]),
        ("link", ["https://a.test/x?a=1&b=2"]),
    ]


def test_text_stays_text(app: Flask) -> None:
    page = letter_html("<script>", TEXT + "\n<img src=x onerror=alert(1)>\n")
    assert "<img" not in page
    assert "<script" not in page
    assert "First &lt;30&gt; days" in page
    assert 'href="https://a.test/x?a=1&amp;b=2"' in page


def test_the_page_is_in_the_reader_s_language_and_direction(app: Flask) -> None:
    with force_locale("ar"):
        assert '<html lang="ar" dir="rtl">' in letter_html("x", TEXT)
    with force_locale("de"):
        assert '<html lang="de" dir="ltr">' in letter_html("x", TEXT)
