"""What the room `web` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

from typing import Any

from flask import Flask

from lms.people.current import find_current_person
from lms.plugin import Plugin
from lms.web import assets, errors, security
from lms.web.compress import compress_page
from lms.web.i18n import init_babel
from lms.web.navigation import places
from lms.web.views import blueprint


def start(app: Flask) -> None:
    """Set up translations, static files, headers, errors, and what every template may use."""
    # Flask runs these in reverse: the page is finished, then marked, then compressed.
    app.after_request(compress_page)
    app.after_request(assets.remember_styles)
    init_babel(app)
    assets.init_app(app)
    security.init_app(app)
    errors.init_app(app)
    app.context_processor(_shell)


def _shell() -> dict[str, Any]:
    return {
        "navigation": places,
        "inline_styles": assets.inline_styles,
        "signed_in": find_current_person() is not None,
    }


part = Plugin(name="web", label="web", blueprints=(blueprint,), on_start=start)
