"""What the room `web` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

from flask import Flask

from lms.plugin import Plugin
from lms.web.i18n import init_babel
from lms.web.views import blueprint


def start(app: Flask) -> None:
    """Set up translations and what every template may use."""
    init_babel(app)


part = Plugin(name="web", label="web", blueprints=(blueprint,), on_start=start)
