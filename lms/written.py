"""What people wrote, on a page that may speak another language: it carries its own `lang` and `dir`.

A course, a path, a certificate's rule has a language; a name, a unit, a company has none that is
known, and its first letter with a direction decides (`dir="auto"`, which is what <bdi> does). In
templates: `<h1{{ written_in(language) }}>{{ title }}</h1>` for an element of its own,
`{{ title | in_language(language) }}` inside a sentence, `{{ title | isolate }}` in an attribute.
"""

from __future__ import annotations

import re
import unicodedata

from babel import Locale, UnknownLocaleError
from flask import Flask
from flask_babel import get_locale
from markupsafe import Markup, escape

TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"  # UAX 9, 2.4


def direction_of(language: str) -> str:
    """Return `ltr`, `rtl`, or `auto` for a language that is not known."""
    if not TAG.fullmatch(language):
        return "auto"
    try:
        return Locale.parse(language, sep="-").text_direction
    except (UnknownLocaleError, ValueError):
        return "auto"


def written_in(language: str | None = "") -> Markup:
    """Return the attributes of an element whose text is in this language, with a blank before."""
    if not language or not TAG.fullmatch(language):
        return Markup(' dir="auto"')
    return Markup(' lang="{}" dir="{}"').format(language, direction_of(language))


def in_language(text: object, language: str | None = "") -> Markup:
    """Return text for the middle of a sentence: apart from it in language and direction."""
    if not text:
        return Markup()
    if not language or not TAG.fullmatch(language):
        return Markup("<bdi>{}</bdi>").format(text)
    return Markup("<bdi{}>{}</bdi>").format(written_in(language), text)


def isolate(text: object) -> str:
    """Return text apart from what stands around it, where no element can do that: in an attribute,
    a subject, a mail. Unchanged where all is written from left to right.
    """
    plain = str(text)
    locale = get_locale()
    reads_leftwards = locale is not None and locale.text_direction == "rtl"
    if not plain or not (reads_leftwards or _goes_leftwards(plain)):
        return plain
    return f"{FIRST_STRONG_ISOLATE}{plain}{POP_ISOLATE}"


def _goes_leftwards(text: str) -> bool:
    return not text.isascii() and any(unicodedata.bidirectional(one) in ("R", "AL") for one in text)


def fill(sentence: object, **parts: object) -> Markup:
    """Return a translated sentence as HTML, each of its parts escaped, or set apart already."""
    return escape(str(sentence)) % {name: escape(part) for name, part in parts.items()}


def init_filters(app: Flask) -> None:
    """Give templates `written_in`, `|in_language` and `|isolate`."""
    app.jinja_env.globals.update(written_in=written_in, direction_of=direction_of)
    app.jinja_env.filters.update(in_language=in_language, isolate=isolate)
