"""Days and moments as people read them: one way of writing for every page, mail and paper.

How a day is written is the language's affair: the patterns are those of CLDR (UTS 35, part 4,
"skeletons"), in German "3. Oktober". English puts the day first, as our own English does.
"""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, get_datetime_format
from flask import Flask
from flask_babel import get_locale, get_timezone

from lms import clock

ENGLISH = Locale("en", "GB")
WEEKDAY = ("MMMMEEEEd", "MMMMEd", "MMMEd")  # CLDR gives each language one of them at least


def reader_locale() -> Locale:
    """Return how the present reader writes days."""
    found = get_locale()
    return ENGLISH if found is None or found.language == "en" else found


def local_day(when: dt.datetime | dt.date) -> dt.date:
    """Return the day of a moment in the reader's time zone; a day is a day everywhere."""
    return when.astimezone(get_timezone()).date() if isinstance(when, dt.datetime) else when


def in_words(when: dt.datetime | dt.date) -> str:
    """Return "22 November 2026"."""
    return str(format_date(local_day(when), "long", locale=reader_locale()))


def near(when: dt.datetime | dt.date) -> str:
    """Return "22 November", with the year where it is another than this."""
    day = local_day(when)
    if day.year != local_day(clock.now()).year:
        return in_words(day)
    return str(format_skeleton("MMMMd", _noon(day), locale=reader_locale()))


def with_weekday(when: dt.datetime | dt.date) -> str:
    """Return "Monday 23 November"."""
    locale = reader_locale()
    known = locale.datetime_skeletons
    pattern = next(known[name].pattern for name in WEEKDAY if name in known)
    wide = re.sub("M+", "MMMM", re.sub("E+", "EEEE", pattern))
    return str(format_date(local_day(when), wide, locale=locale))


def moment(when: dt.datetime) -> str:
    """Return "22 November 2026, 14:05", in the reader's time zone."""
    locale = reader_locale()
    joined = str(get_datetime_format("medium", locale=locale)).replace("'", "")
    return joined.replace("{1}", in_words(when)).replace("{0}", time(when))


def time(when: dt.datetime) -> str:
    """Return "14:05", in the reader's time zone."""
    return str(format_time(when, "short", tzinfo=get_timezone(), locale=reader_locale()))


def midnight(day: dt.date) -> dt.datetime:
    """Return the moment at which a day begins in the reader's time zone, in UTC."""
    # By name: what get_timezone() returns may be pytz's, which does not fit into a datetime.
    zone = ZoneInfo(str(get_timezone() or "UTC"))
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def _noon(day: dt.date) -> dt.datetime:
    """Return a moment of the day that no time zone moves to another."""
    return dt.datetime.combine(day, dt.time(12))


def init_filters(app: Flask) -> None:
    """Let templates write `|day`, `|near_day` and `|moment`."""
    app.jinja_env.filters.update(day=in_words, near_day=near, moment=moment)
