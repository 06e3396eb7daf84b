"""What stands on the paper: the award's frozen lines and the holder's name, as one HTML page.

Everything is text: the template escapes it, and the renderer opens no address. The same lines are
shown, each one, on the page where a certificate is checked (`certificates.verification`).
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass

from flask import current_app, render_template
from flask_babel import force_locale

from certificates import codes
from certificates.models import Award
from certificates.rendering import qr
from lms import days
from lms.written import direction_of

# Width of a name in halves of a wide letter, and the class that makes it fit.
NAME_SIZES = ((26, ""), (34, "medium"), (64, "long"), (130, "longer"))


@dataclass(frozen=True, slots=True)
class Printed:
    """Every line of the paper but the name; also what the verify page shows."""

    company: str
    title: str
    summary: str
    earned_on: dt.date
    proved: tuple[str, ...]
    language: str
    code: str
    rule_number: int
    proof: str


def printed_of(award: Award) -> Printed:
    """Return the lines of an award, as frozen when it was given."""
    lines = award.printed
    return Printed(
        company=lines["company"],
        title=lines["title"],
        summary=lines["summary"],
        earned_on=dt.date.fromisoformat(lines["earned_on"]),
        proved=tuple(lines["proved"]),
        language=lines["language"],
        code=codes.grouped(award.code),
        rule_number=award.version.number,
        proof=award.evidence_digest[:12],
    )


def verify_address(award: Award) -> str:
    """Return the address that the QR code opens."""
    base: str = current_app.config["LMS_BASE_URL"]
    return f"{base.rstrip('/')}/certificates/verify/{award.code}"


def build_page(award: Award, name: str) -> str:
    """Return the certificate as HTML, ready for the renderer."""
    lines = printed_of(award)
    with force_locale(lines.language):
        html: str = render_template(
            "certificates/certificate.html",
            language=lines.language,
            direction=direction_of(lines.language),
            created=award.earned_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            company=lines.company,
            name=printable(name),
            name_size=name_size(name),
            title=lines.title,
            summary=lines.summary,
            earned_on=days.in_words(lines.earned_on),
            proved=lines.proved,
            qr=qr.data_uri(verify_address(award)),
            code=lines.code,
            rule_number=lines.rule_number,
            proof=lines.proof,
        )
    return html


def printable(name: str) -> str:
    """Return a name without control characters, which no face can print."""
    kept = "".join(" " if unicodedata.category(one) == "Cc" else one for one in name)
    return " ".join(kept.split())


def name_size(name: str) -> str:
    """Return the class under which a name fits; wide letters count twice."""
    width = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in name)
    return next((size for limit, size in NAME_SIZES if width <= limit), "longest")
