"""The paper: what is printed, what stays text, what is never fetched, and files that are whole."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select

from certificates import codes, documents
from certificates.models import Award, Document, DocumentState
from certificates.rendering import job, page, pdf, qr, rope
from lms import clock
from lms.db import db, transaction
from lms.events import PeopleChanged, PersonErased, publish
from lms.jobs.queue import run_pending
from lms.people.models import Identity
from tests.certificates import facts
from tests.factories.people import make_person


def earn(name: str) -> Award:
    person = make_person(name)
    facts.earn_connected(person)
    run_pending()
    return db.session.scalars(select(Award).where(Award.person_id == person.id)).one()


def document_of(award: Award) -> Document:
    found = documents.find_document(award.id)
    assert found is not None
    return found


def file_of(award: Award) -> Path:
    return documents.path_of(document_of(award).sha256)


def text_of(content: bytes) -> str:
    reader = PdfReader(io.BytesIO(content))
    assert len(reader.pages) == 1
    return " ".join(reader.pages[0].extract_text().split())


def test_every_line_is_printed_on_one_landscape_page(house: Flask) -> None:
    award = earn("Imani Okafor")
    content = file_of(award).read_bytes()
    text = text_of(content)
    for line in (
        "Imani Okafor",
        "Connected Colleague",
        "Halden Freight",
        f"Earned on {clock.today().day} ",
        "Answered three colleagues",
        "First 30 days completed",
        codes.grouped(award.code),
        award.evidence_digest[:12],
    ):
        assert line in text
    assert "Active on the phone" not in text  # nobody was asked for it
    box = PdfReader(io.BytesIO(content)).pages[0].mediabox
    assert (round(box.width), round(box.height)) == (842, 595)
    assert document_of(award).name_digest == documents.name_digest(award, "Imani Okafor")


def test_the_same_award_gives_the_same_bytes(house: Flask) -> None:
    award = earn("Imani Okafor")
    html = page.build_page(award, "Imani Okafor")
    assert pdf.render(html, award.uid.encode(), 4) == file_of(award).read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "<b>Bold</b> <script>alert(1)</script>",
        "{{ 7*7 }}{% raw %}",
        '"><link rel="attachment" href="file:///etc/passwd">',
        "=HYPERLINK(1) & Co",
        "Maria-Magdalena von und zu Hohenstaufen-Wittelsbach de la Fontaine",
        "W" * 200,
        "Anneliese " * 19 + "Anneliese",
        "ليلى حداد",
        "Łukasz Żółć-Dvořák",
        "Imani\nOkafor\x07",
    ],
)
def test_a_name_stays_text_and_fits(house: Flask, name: str) -> None:
    award = earn("Imani Okafor")
    content = pdf.render(page.build_page(award, name), b"x", 4)
    reader = PdfReader(io.BytesIO(content))
    assert len(reader.pages) == 1
    assert not reader.attachments
    shown = "".join(reader.pages[0].extract_text().split())
    plain = "".join(page.printable(name).split())
    if plain.isascii():
        assert plain in shown
    assert "ConnectedColleague" in shown
    low, high = text_edges(reader)
    assert low >= 25
    assert high <= 842 - 25


def text_edges(reader: PdfReader) -> tuple[float, float]:
    """Return how far left a text begins and how far right one begins, in points."""
    places: list[float] = []

    def visit(text: str, cm: list[float], tm: list[float], *_rest: object) -> None:
        if text.strip():
            places.append(tm[4] * cm[0] + cm[4])

    reader.pages[0].extract_text(visitor_text=visit)
    return min(places), max(places)


@pytest.mark.parametrize(
    "markup",
    [
        '<link rel="attachment" href="file://{canary}">',
        '<a rel="attachment" href="{canary}">x</a>',
        '<img src="file://{canary}">',
        '<object data="file://{canary}"></object>',
        '<style>@import url("file://{canary}"); p {{ background: url(file://{canary}) }}</style>',
        '<link rel="stylesheet" href="http://127.0.0.1:9/{canary}">',
        '<img src="data:image/svg+xml,<svg xmlns=%22http://www.w3.org/2000/svg%22 '
        "xmlns:xlink=%22http://www.w3.org/1999/xlink%22>"
        '<image xlink:href=%22file://{canary}%22/></svg>">',
    ],
)
def test_the_renderer_itself_opens_neither_disk_nor_network(tmp_path: Path, markup: str) -> None:
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARY-7f3a")
    html = f"<html lang=en><title>t</title>{markup.format(canary=canary)}<p>text</p></html>"
    content = pdf.render(html, b"x", 1)
    reader = PdfReader(io.BytesIO(content))
    assert not reader.attachments
    assert "CANARY" not in reader.pages[0].extract_text()
    assert b"CANARY" not in content


def test_the_web_process_does_not_load_the_renderer() -> None:
    program = "import certificates.plugin, sys; sys.exit('weasyprint' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])


def test_a_qr_code_is_a_png_of_modules_and_the_same_each_time() -> None:
    one = qr.png("https://ropes.example/certificates/verify/ABC")
    assert one == qr.png("https://ropes.example/certificates/verify/ABC")
    assert one.startswith(b"\x89PNG")


def test_the_rope_has_a_knot_for_each_thing_done() -> None:
    for knots in (1, 4, 12):
        assert rope.border_svg(knots).count("<circle") == 2 * knots


def test_a_printing_that_fails_is_tried_again_later_and_later_then_shown(
    house: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person("Imani Okafor")
    facts.earn_connected(person)
    real = pdf.render
    tries: list[float] = []

    def fail(*_page: object) -> bytes:
        tries.append(clock.now().timestamp())
        raise ValueError("no face for Imani Okafor")

    monkeypatch.setattr(pdf, "render", fail)
    run_pending()
    start = clock.now()
    for minute in range(120):
        with clock.travel(start + dt.timedelta(minutes=minute)):
            job.run()
    assert len(tries) == documents.MAX_ATTEMPTS
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    for number, pause in enumerate(pauses):
        assert pause >= documents.FIRST_DELAY_SECONDS * 2**number - 1
    document = db.session.scalars(select(Document)).one()
    assert document.state == DocumentState.FAILED.value
    assert "ValueError" in document.error
    assert "Imani" not in document.error
    monkeypatch.setattr(pdf, "render", real)
    with transaction():
        documents.ask_again(db.session.scalars(select(Document)).one())
    run_pending()
    db.session.expire_all()
    assert db.session.scalars(select(Document)).one().state == DocumentState.READY.value


def test_one_certificate_that_fails_does_not_keep_the_others_waiting(
    house: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Tomasz Wrona", "Leila Haddad"):
        facts.earn_connected(make_person(name))
    real = pdf.render

    def fail_one(html: str, identifier: bytes, knots: int) -> bytes:
        if "Tomasz" in html:
            raise ValueError("no")
        return real(html, identifier, knots)

    monkeypatch.setattr(pdf, "render", fail_one)
    run_pending()
    states = sorted(db.session.scalars(select(Document.state)))
    assert states == [DocumentState.READY.value, DocumentState.WAITING.value]


def test_killed_in_the_middle_it_is_printed_again_and_no_half_file_is_left(
    house: Flask, tmp_path: Path
) -> None:
    """A process that dies between writing and renaming leaves no file under a name that is read."""
    program = textwrap.dedent(
        """
        import os, pathlib, signal, sys
        from flask import Flask
        from certificates import documents
        app = Flask("x"); app.config["LMS_FILES"] = pathlib.Path(sys.argv[1])
        pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        with app.app_context():
            documents.store(b"%PDF-" + b"x" * 500_000)
        """
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    left = [file for file in (tmp_path / "certificates").rglob("*") if file.is_file()]
    assert len(left) == 1
    assert left[0].suffix == documents.UNFINISHED
    long_ago = clock.now().timestamp() - 7200
    os.utime(left[0], (long_ago, long_ago))
    award = earn("Imani Okafor")  # the same instance folder: the render job cleans up
    assert not left[0].exists()
    assert file_of(award).read_bytes().startswith(b"%PDF-")


def test_a_changed_name_is_printed_anew_and_the_old_file_goes(house: Flask) -> None:
    award = earn("Imani Okafor")
    old = file_of(award)
    identity = db.session.get_one(Identity, award.person_id)
    identity.display_name = "Imani Okafor-Brandt"
    publish(PeopleChanged(frozenset({award.person_id})))
    db.session.commit()
    run_pending()
    db.session.expire_all()
    assert not old.exists()
    assert "Imani Okafor-Brandt" in text_of(file_of(award).read_bytes())
    assert [one.number for one in documents.printings(award.id)] == [1, 2]
    publish(PeopleChanged(frozenset({award.person_id})))  # moved, not renamed
    db.session.commit()
    run_pending()
    assert len(documents.printings(award.id)) == 2


def test_erasing_the_holder_removes_the_file_and_every_trace_of_the_name(
    house: Flask, tmp_path: Path
) -> None:
    award = earn("Zebulon Quixley")
    file = file_of(award)
    assert file.exists()
    db.session.delete(db.session.get_one(Identity, award.person_id))
    publish(PersonErased(award.person_id))
    db.session.commit()
    run_pending()
    db.session.expire_all()
    assert not file.exists()
    document = document_of(award)
    assert (document.state, document.name_digest, document.sha256) == ("removed", "", "")
    assert not [one for one in (tmp_path / "certificates").rglob("*") if one.is_file()]


def test_erased_while_it_is_being_printed_the_file_goes_too(
    house: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person("Zebulon Quixley")
    facts.earn_connected(person)
    real = pdf.render

    def erase_meanwhile(html: str, identifier: bytes, knots: int) -> bytes:
        content = real(html, identifier, knots)
        with transaction() as session:
            session.delete(session.get_one(Identity, person.id))
            publish(PersonErased(person.id))
        return content

    monkeypatch.setattr(pdf, "render", erase_meanwhile)
    run_pending()
    assert not list(documents.folder().rglob("*.pdf"))
    assert db.session.scalars(select(Document)).one().sha256 == ""


def test_a_file_name_is_sensible_whatever_the_person_is_called(house: Flask) -> None:
    award = earn("Imani Okafor")
    assert (
        documents.download_name(award, "Imani Okafor") == "Connected Colleague - Imani Okafor.pdf"
    )
    hostile = documents.download_name(award, '../../etc/passwd\r\nX: "y"\u202e<>|')
    assert not set(hostile) & set('/\\\r\n"<>|:\u202e')
    assert hostile.endswith(".pdf")
    assert "ليلى حداد" in documents.download_name(award, "ليلى حداد")
    assert len(documents.download_name(award, "x" * 400)) <= 124
