"""What the programs write to standard error: one line for each event, an outage once."""

from __future__ import annotations

import logging

from lms.outage import SaidOnce


def log_to_terminal() -> None:
    """Write what happens to standard error, for whatever runs the program."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("huey", "alembic", "weasyprint", "fontTools"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        if not any(isinstance(one, SaidOnce) for one in handler.filters):
            handler.addFilter(SaidOnce())
