"""What stands on a page for those who read it, whatever markup sets its parts apart."""

from __future__ import annotations

import html
import re

ISOLATES = re.compile("[\u2068\u2069]")


def sentences(page: str) -> str:
    """Return a page whose sentences are whole: without <bdi>, isolates, and entities."""
    return html.unescape(ISOLATES.sub("", re.sub(r"</?bdi[^>]*>", "", page)))
