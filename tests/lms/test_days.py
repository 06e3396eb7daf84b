"""Days are written as the reader's language writes them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from lms import clock, days

ROOT = Path(__file__).parents[2]
NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 10, 3)
WRITTEN = {
    "en": ("3 October 2026", "3 October", "Saturday 3 October"),
    "de": ("3. Oktober 2026", "3. Oktober", "Samstag, 3. Oktober"),
    "es": ("3 de octubre de 2026", "3 de octubre", "sábado, 3 de octubre"),
    "fr": ("3 octobre 2026", "3 octobre", "samedi 3 octobre"),
    "ar": ("3 أكتوبر 2026", "3 أكتوبر", "السبت، 3 أكتوبر"),
}


@pytest.mark.parametrize("language", WRITTEN)
def test_each_language_in_its_own_way(app: Flask, language: str) -> None:
    with app.test_request_context(), force_locale(language), clock.travel(NOW):
        assert (days.in_words(DAY), days.near(DAY), days.with_weekday(DAY)) == WRITTEN[language]
        another_year = days.near(dt.date(2027, 1, 16))
        assert "2027" in another_year


def test_a_moment_has_its_time_in_the_readers_zone(make_app: Callable[..., Flask]) -> None:
    with make_app(LMS_TIME_ZONE="Europe/Berlin").test_request_context():
        said = days.moment(dt.datetime(2026, 10, 3, 23, 30, tzinfo=dt.UTC))
    assert said == "4 October 2026, 01:30"


def test_a_day_begins_where_the_reader_is(make_app: Callable[..., Flask]) -> None:
    app = make_app(LMS_TIME_ZONE="Europe/Berlin")
    with app.test_request_context():
        summer, winter = days.midnight(dt.date(2026, 7, 1)), days.midnight(dt.date(2026, 12, 1))
    assert summer == dt.datetime(2026, 6, 30, 22, tzinfo=dt.UTC)
    assert winter == dt.datetime(2026, 11, 30, 23, tzinfo=dt.UTC)


def test_nobody_writes_days_by_a_pattern_of_their_own() -> None:
    own = re.compile(
        r"""dateformat|datetimeformat|format_date\b|format_datetime\b|["'][^"']*\bd MMM"""
    )
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for package in ("lms", "courses", "esn", "certificates", "xapi")
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".html", ".txt") and path.name != "days.py"
        for line in path.read_text().splitlines()
        if own.search(line) and "email.utils" not in line and "usegmt" not in line
    ]
    assert found == []
