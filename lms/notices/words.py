"""A notice in words: its subject, and its templates, in the language of its reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from jinja2 import TemplateNotFound
from markupsafe import Markup

from lms.notices.models import Notice
from lms.people.letters import letter_html, render_mail
from lms.people.names import display_names, removed_name
from lms.plugin import NoticeKind
from lms.written import fill, in_language, isolate

PERSON = "_person_id"
NOT_WRITTEN = frozenset({"path", "link", "language", "due_on"})  # data that no person wrote


def people_in(notices: list[Notice]) -> frozenset[int]:
    """Return the ids of all people whom these notices name."""
    return frozenset(
        value for notice in notices for key, value in notice.data.items() if key.endswith(PERSON)
    )


def filled(notice: Notice, names: Mapping[int, str]) -> dict[str, Any]:
    """Return the notice's data with the names of those it speaks of."""
    data = dict(notice.data)
    for key in list(data):
        if key.endswith(PERSON):
            data[key.removesuffix(PERSON)] = names.get(data[key]) or removed_name()
    return data


def subject(kind: NoticeKind, data: Mapping[str, Any]) -> str:
    """Return the subject, on one line whatever stands in the data."""
    return " ".join((str(kind.subject) % _apart(data)).split())


def subject_on_page(kind: NoticeKind, data: Mapping[str, Any]) -> Markup:
    """Return the subject for a page: titles in their own language, names in their own direction."""
    language = data.get("language", "")
    parts = {
        key: in_language(value, "" if f"{key}{PERSON}" in data else language)
        for key, value in data.items()
    }
    return fill(kind.subject, **parts)


def _apart(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data with what people wrote set apart from the sentences that it will stand in."""
    return {key: value if key in NOT_WRITTEN else _alone(value) for key, value in data.items()}


def _alone(value: Any) -> Any:
    if isinstance(value, list):
        return [_alone(item) for item in value]
    return isolate(value) if isinstance(value, str) else value


def mail_parts(notice: Notice, kind: NoticeKind, stop_url: str = "") -> tuple[str, str, str]:
    """Return the subject, the text and the HTML, which shows the text where the kind has none.

    stop_url: where this kind of mail can be stopped; both say so.
    """
    data = filled(notice, display_names(people_in([notice])))
    own = {
        "subject": subject(kind, data),
        "url": address(data.get("path", "/")),
        "kind": kind,
        "stop_url": stop_url,
    }
    title = str(own["subject"])
    text = render_mail(f"{kind.template}.txt", **_apart(data) | own)
    try:
        html = render_mail(f"{kind.template}.html", **{"language": ""} | data | own)
    except TemplateNotFound as missing:
        if missing.name != f"{kind.template}.html":
            raise
        html = letter_html(title, text, stop_url)
    if stop_url:
        text = f"{text.rstrip()}\n\n-- \n{_('You can stop mails of this kind:')}\n{stop_url}\n"
    return title, text, html


def address(path: str) -> str:
    """Return the full address of a path of ours, for those who read it elsewhere."""
    base: str = current_app.config["LMS_BASE_URL"]
    return base.rstrip("/") + path
