"""Days as people read them."""

from __future__ import annotations

import datetime as dt

from flask_babel import format_date, get_locale, to_user_timezone

# English puts the day first here, as the rest of the suite does; other languages know best.
ENGLISH = "d MMMM y"


def in_words(moment: dt.datetime | dt.date) -> str:
    """Return a day, or the day of a moment in the company's time zone: "22 November 2026"."""
    day = to_user_timezone(moment).date() if isinstance(moment, dt.datetime) else moment
    locale = get_locale()
    pattern = ENGLISH if locale is None or locale.language == "en" else "long"
    return str(format_date(day, pattern, rebase=False))
