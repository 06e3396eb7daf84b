"""What the room `web` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

from typing import Any

from flask import Flask, before_render_template, g, has_request_context, render_template
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from lms import number_words, written
from lms.config import Setting
from lms.days import init_filters
from lms.db import keep_so_far
from lms.people.current import find_current_person
from lms.plugin import Audience, NavItem, Plugin, Subject
from lms.web import assets, audit_log, audit_pages, errors, security  # noqa: F401 - views join in
from lms.web.compress import compress_page
from lms.web.home import ShownCard
from lms.web.i18n import init_babel
from lms.web.navigation import places
from lms.web.views import blueprint
from lms.web.well_known import CONTACT, parse_contacts
from lms.writers import outside_writing


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
    before_render_template.connect(_outside_writing, app)


def _outside_writing(_app: Flask, **_more: Any) -> None:
    """Have what must be kept in any case kept before a page is rendered, and nothing written then."""
    if not has_request_context():
        return
    if g.get("lms_keep"):
        keep_so_far()
    outside_writing("rendering a page")


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
        NavItem(_l("Audit log"), "web.audit_log", Audience.ADMINISTRATOR, order=90),
        NavItem(_l("Settings"), "web.settings", order=95),
    ),
    acts={
        audit_log.SEARCHED: _l("Audit log searched for a person"),
        audit_log.TAKEN: _l("Audit log saved as a file"),
    },
    subjects=(Subject("audit", _l("Audit log")),),
    settings=(
        Setting(
            CONTACT,
            (),
            "Whom to tell of a weakness: mail addresses or https://, shown in security.txt.",
            parse_contacts,
        ),
    ),
    on_start=start,
)
