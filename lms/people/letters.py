"""What every mail looks like: the text as it is, and the same beside it as a plain, calm page."""

from __future__ import annotations

import re
from typing import Any

from flask import current_app, render_template
from flask_babel import get_locale

RIGHT_TO_LEFT = frozenset({"ar"})
_ADDRESS = re.compile(r"https?://\S+\Z")
Block = tuple[str, list[str]]


def render_mail(template: str, **context: Any) -> str:
    """Render a mail's text or HTML, in the locale that is set, with what all of them may use."""
    locale = str(get_locale() or "en")
    shared = {
        "company": current_app.config["LMS_COMPANY"],
        "locale": locale.replace("_", "-"),
        "direction": "rtl" if locale.split("_")[0] in RIGHT_TO_LEFT else "ltr",
    }
    return render_template(template, **{**shared, **context})


def letter_html(subject: str, text: str, stop_url: str = "") -> str:
    """Return the HTML that stands beside a mail's text, for kinds without a template of their own."""
    return render_mail(
        "people/mail/letter.html", subject=subject, blocks=blocks(text), stop_url=stop_url
    )


def blocks(text: str) -> list[Block]:
    """Return the paragraphs of a text as (kind, lines): `list`, `link` (one address) or `text`."""
    found: list[Block] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
        for line in lines:
            kind = "link" if _ADDRESS.match(line) else "list" if line.startswith("- ") else "text"
            said = line.removeprefix("- ") if kind == "list" else line
            if found and found[-1][0] == kind and line is not lines[0] and kind != "link":
                found[-1][1].append(said)
            else:
                found.append((kind, [said]))
    return found
