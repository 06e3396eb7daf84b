"""WeasyPrint behind one door.

It is imported on first use, by the worker that renders: it takes one to two seconds and 70 MiB
that the web process never needs. The style sheet and the font configuration are built once and
kept: building them for each certificate doubles the time. Nothing is ever fetched, from the
network or the disk: the only addresses that open hold their content themselves (`data:`).
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

from certificates.rendering import rope
from lms.writers import outside_writing

STYLE = Path(__file__).parent / "certificate.css"
VARIANT = "pdf/ua-1"  # tagged, with a title and a language: a screen reader reads it in order


class _Press:
    """WeasyPrint with what is kept between certificates."""

    def __init__(self) -> None:
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher

        self.html: Any = weasyprint.HTML
        self.fonts: Any = FontConfiguration()
        # WeasyPrint's own default opens http, ftp and file addresses, attachments among them.
        self.fetcher: Any = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
        self.css: Any = weasyprint.CSS
        self.style: Any = self._sheet(STYLE.read_text(encoding="utf-8"))
        self.borders: dict[int, Any] = {}
        self.images: dict[str, Any] = {}
        # Its warnings quote the page, and the page holds a name.
        logging.getLogger("weasyprint").setLevel(logging.CRITICAL)

    def border(self, knots: int) -> Any:
        """The rope with so many knots, as a style sheet: a background, which no reader reads out."""
        if knots not in self.borders:
            text = f".sheet {{ background-image: url({rope.border_data_uri(knots)}) }}"
            self.borders[knots] = self._sheet(text)
        return self.borders[knots]

    def _sheet(self, text: str) -> Any:
        return self.css(string=text, font_config=self.fonts, url_fetcher=self.fetcher)


_press: _Press | None = None
_lock = threading.Lock()


def render(html: str, identifier: bytes, knots: int) -> bytes:
    """Return the PDF of a page in a rope with `knots`; the same bytes for the same arguments.

    Raises whatever WeasyPrint raises; its libraries missing (Pango) is an OSError.
    """
    outside_writing("setting a page")
    global _press
    with _lock:  # the kept parts are shared, and WeasyPrint does not promise to share them safely
        if _press is None:
            _press = _Press()
        press = _press
        if len(press.images) > 64:  # each certificate brings a QR code of its own
            press.images.clear()
        document = press.html(string=html, url_fetcher=press.fetcher, base_url=None)
        content: bytes = document.write_pdf(
            stylesheets=[press.style, press.border(knots)],
            font_config=press.fonts,
            cache=press.images,
            pdf_variant=VARIANT,
            pdf_identifier=identifier,
        )
    return content
