"""What the room `web` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

from typing import Any

from flask import Flask, render_template
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from lms import number_words, written
from lms.days import init_filters
from lms.people.current import find_current_person
from lms.plugin import NavItem, Plugin
from lms.web import assets, errors, security
from lms.web.compress import compress_page
from lms.web.home import ShownCard
from lms.web.i18n import init_babel
from lms.web.navigation import places
from lms.web.views import blueprint


def start(app: Flask) -> None:
    """Set up translations, static files, headers, errors, and what every template may use."""
    # Flask runs these in reverse: the page is finished, then marked, then compressed.
    app.after_request(compress_page)
    app.after_request(assets.remember_styles)
    init_babel(app)
    init_filters(app)
    written.init_filters(app)
    number_words.init_filters(app)
    assets.init_app(app)
    security.init_app(app)
    errors.init_app(app)
    app.context_processor(_shell)


def _shell() -> dict[str, Any]:
    return {
        "navigation": places,
        "inline_styles": assets.inline_styles,
        "show_card": _show_card,
        "signed_in": find_current_person() is not None,
    }


def _show_card(card: ShownCard) -> Markup:
    page = render_template(card.template, **{**card.context, "primary": card.primary})
    return Markup(page)  # noqa: S704 - a rendered template, escaped where it was made


part = Plugin(
    name="web",
    label="web",
    blueprints=(blueprint,),
    navigation=(
        NavItem(_l("Your page"), "web.home", order=0),
        NavItem(_l("Settings"), "web.settings", order=95),
    ),
    on_start=start,
)
