"""Whoever holds the paper compares it with the page: every line of the one stands on the other."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select
from zxingcpp import read_barcodes

from certificates import documents
from certificates.models import Award
from certificates.rendering import page, pdf
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Identity
from tests.certificates import facts
from tests.factories.people import make_person

# What the paper says around its values. All else on it is a value, and must stand on the page.
AROUND = (
    "Awarded to",
    "Scan for the status today.",
    "Status as of",
    "Earned on",
    ", proof",
)
EMPTY = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Visible(HTMLParser):
    """The text that a page shows at once: no head, no script, nothing that must be opened first."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hidden = 0
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in EMPTY:
            return
        if self.hidden or tag in ("head", "script", "style", "details", "nav"):
            self.hidden += 1

    def handle_endtag(self, tag: str) -> None:
        if self.hidden and tag not in EMPTY:
            self.hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


def earn(name: str = "Imani Okafor") -> Award:
    person = make_person(name)
    facts.earn_connected(person)
    run_pending()
    return db.session.scalars(select(Award).where(Award.person_id == person.id)).one()


def values_on(paper: bytes) -> list[str]:
    """Return the lines of a paper, without the words around their values."""
    text = PdfReader(io.BytesIO(paper)).pages[0].extract_text()
    for words in AROUND:  # which may be broken anywhere, as any line may
        text = re.sub(r"\s+".join(map(re.escape, words.split())), "\n", text)
    found = [" ".join(line.split()).strip(" .") for line in text.splitlines()]
    return [value for value in found if value and value != "For"]


def printed_paper(award: Award) -> bytes:
    document = documents.find_document(award.id)
    assert document is not None
    return documents.path_of(document.sha256).read_bytes()


def missing_from(shown: str, paper: bytes) -> list[str]:
    return [value for value in values_on(paper) if value not in shown]


def test_every_line_of_the_paper_stands_on_the_page(house: Flask, client: FlaskClient) -> None:
    award = earn()
    paper = printed_paper(award)
    values = values_on(paper)
    lines = page.printed_of(award)
    for value in (lines.company, "Imani Okafor", lines.title, lines.code, lines.proof):
        assert value in values
    assert " ".join(lines.proved) in values  # side by side on the paper
    assert lines.summary.startswith(next(one for one in values if one[:5] == lines.summary[:5]))
    assert len(values) >= 10
    answer = client.get(f"/certificates/verify/{award.code}")
    assert missing_from(Visible(answer.text).text, paper) == []


def test_every_line_of_a_full_paper_too(house: Flask, client: FlaskClient) -> None:
    """Signs that HTML knows, two families of letters, lines that wrap, and every condition met."""
    name = "Maria-Magdalena von und zu Łukaszewicz & <Söhne> de la Fontaine"
    award = earn(name)
    award.printed = {
        **award.printed,
        "company": "Halden & Töchter <Freight>",
        "summary": "Finds who knows what, and when, and why. " * 6,
        "proved": [f"Proved “thing” no. {number} & more" for number in range(1, 11)],
    }
    db.session.commit()
    paper = pdf.render(page.build_page(award, name), b"x", 4)
    shown = Visible(client.get(f"/certificates/verify/{award.code}").text).text
    assert missing_from(shown, paper) == []


def test_the_code_on_the_paper_is_read_by_a_scanner_and_opens_the_page(
    house: Flask, client: FlaskClient
) -> None:
    award = earn()
    sheet = PdfReader(io.BytesIO(printed_paper(award))).pages[0]
    found = [code.text for one in sheet.images for code in read_barcodes(one.image)]
    assert found == [page.verify_address(award)]
    assert found[0].startswith("http://localhost/")
    answer = client.get(found[0].removeprefix("http://localhost"))
    assert answer.status_code == 200
    assert "Imani Okafor" in answer.text


@pytest.mark.parametrize("changed", ["name", "title", "summary", "proved", "earned_on", "company"])
def test_a_line_that_is_not_the_same_is_found(
    house: Flask, client: FlaskClient, changed: str
) -> None:
    """A comparison that could find nothing would prove nothing."""
    award = earn()
    paper = printed_paper(award)
    if changed == "name":
        db.session.get_one(Identity, award.person_id).display_name = "Tomasz Wrona"
    else:
        other = {"proved": ["Something else"], "earned_on": "2020-02-02"}.get(changed, "Other")
        award.printed = {**award.printed, changed: other}
    db.session.commit()
    shown = Visible(client.get(f"/certificates/verify/{award.code}").text).text
    assert missing_from(shown, paper) != []
