"""Languages: which are offered, which one a request gets, and what templates need to know of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, current_app, request, session
from flask_babel import Babel, get_locale
from sqlalchemy.exc import SQLAlchemyError

from lms.config import LANGUAGES
from lms.errors import Invalid
from lms.people.current import find_current_person
from lms.plugin import Plugin

SESSION_KEY = "language"
RIGHT_TO_LEFT = frozenset({"ar"})


def choose_locale() -> str:
    """The person's own choice, then what the browser asks for, then the company's language."""
    default: str = current_app.config["LMS_LANGUAGE"]
    try:
        person = find_current_person()
        if person is not None and person.language in LANGUAGES:
            return person.language
    except SQLAlchemyError:  # the error page is shown when the database is gone, too
        return default
    if not request:
        return default
    if session.get(SESSION_KEY) in LANGUAGES:
        return str(session[SESSION_KEY])
    return request.accept_languages.best_match(list(LANGUAGES), default=default) or default


def choose_language(code: str) -> None:
    """Remember a language for the present person, or for this session; Invalid for an unknown one."""
    if code not in LANGUAGES:
        raise Invalid("We do not speak that language yet.")
    person = find_current_person()
    if person is None:
        session[SESSION_KEY] = code
    else:
        person.language = code


def init_babel(app: Flask) -> None:
    """Set up Flask-Babel over the catalogues of every enabled part."""
    parts: list[Plugin] = app.extensions["lms.parts"]
    own = Path(__file__).parent.parent / "translations"
    folders = [own, *(part.translations for part in parts if part.translations is not None)]
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join(str(folder) for folder in folders)
    Babel(
        app,
        default_locale=app.config["LMS_LANGUAGE"],
        default_timezone=app.config["LMS_TIME_ZONE"],
        locale_selector=choose_locale,
    )
    app.context_processor(_template_words)


def _template_words() -> dict[str, Any]:
    locale = str(get_locale() or "en")
    return {
        "locale": locale.replace("_", "-"),
        "direction": "rtl" if locale.split("_")[0] in RIGHT_TO_LEFT else "ltr",
        "company": current_app.config["LMS_COMPANY"],
        "network_name": current_app.config["LMS_NETWORK_NAME"],
    }
