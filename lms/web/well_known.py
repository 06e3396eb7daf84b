"""Addresses that every site has: whom to tell of a weakness, and where a password is changed."""

from __future__ import annotations

import datetime as dt
from email.utils import parseaddr
from urllib.parse import urlsplit

from flask import Response, current_app, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from lms import clock
from lms.config import LANGUAGES, parse_list
from lms.errors import NotFound
from lms.people.access import Who, allow
from lms.web.views import blueprint

CONTACT = "LMS_SECURITY_CONTACT"
# RFC 9116, 2.5.5: less than a year. Ours is counted anew each day, and shows that somebody serves it.
EXPIRES_DAYS = 180


def parse_contacts(text: str) -> tuple[str, ...]:
    """Read mail addresses, web addresses and telephone numbers as URIs; raises ValueError."""
    return tuple(_read_contact(one) for one in parse_list(text))


def _read_contact(text: str) -> str:
    parts = urlsplit(text)
    address = text if not parts.scheme else text.partition(":")[2]
    if parts.scheme in ("", "mailto"):
        if parseaddr(address)[1] != address or "@" not in address or " " in address:
            raise ValueError(f"{text} is no mail address")
        return f"mailto:{address}"
    if (parts.scheme == "https" and parts.netloc) or (parts.scheme == "tel" and parts.path):
        return text
    raise ValueError(f"{text}: write a mail address, https://... or tel:...")


@blueprint.get("/.well-known/security.txt")
@allow(Who.PUBLIC, reason="whoever finds a weakness looks here first (RFC 9116)")
def security_txt() -> Response:
    """Say whom to tell of a weakness; not found where nobody said."""
    contacts: tuple[str, ...] = current_app.config[CONTACT]
    if not contacts:
        raise NotFound(_("There is nothing here."))
    expires = clock.today() + dt.timedelta(days=EXPIRES_DAYS)
    lines = [f"Contact: {one}" for one in contacts]
    lines.append(f"Expires: {expires:%Y-%m-%d}T00:00:00Z")
    first: str = current_app.config["LMS_LANGUAGE"]
    lines.append("Preferred-Languages: " + ", ".join(dict.fromkeys([first, *LANGUAGES])))
    base: str = current_app.config["LMS_BASE_URL"].rstrip("/")
    if base.startswith("https:"):  # 2.5.2: it has to be
        lines.append(f"Canonical: {base}{url_for('web.security_txt')}")
    response = Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@blueprint.get("/.well-known/change-password")
@allow(Who.PUBLIC, reason="password managers ask it; it leads to a page that asks who one is")
def change_password() -> AnyResponse:
    """Lead to the page where a password is changed (W3C, a well-known URL for that)."""
    return redirect(url_for("people.devices"))
