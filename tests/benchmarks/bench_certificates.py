"""Certificates: the learner's page, papers printed for one core, everybody evaluated at night."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import weasyprint
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select
from weasyprint.text.fonts import FontConfiguration

from certificates import documents, evaluation
from certificates.awards import give
from certificates.catalogue import get_offered, load_library
from certificates.models import Award, Document
from certificates.rendering import page, pdf, rope
from certificates.rules.compile import Standing
from courses.paths.enrolment import enrol
from courses.progress.models import Completion
from courses.progress.walk import take
from lms import clock
from lms.db import db
from lms.notices.models import Notice
from tests.benchmarks.beside import beside_bare
from tests.benchmarks.harness import Place, Result, benchmark
from tests.benchmarks.raw import raw_insert
from tests.conftest import Browser
from tests.factories.courses import make_course, make_path
from tests.factories.esn import make_acts, make_connector
from tests.factories.people import make_people, make_person
from xapi.outbox.models import OutboxStatement, Pending

PAPERS = 40
COLLEAGUES = 20
ACTS_EACH = 30
EARNERS = 500


def make_learner(place: Place) -> FlaskClient:
    """Return a browser in which somebody on their first path is signed in, in a company of 21."""
    app = place.make_app()
    app.test_client_class = Browser
    load_library()
    courses = [make_course(f"step-{number}") for number in range(3)]
    path = make_path(*courses, slug="first-30-days")
    person = make_person("Imani Okafor")
    enrol(path, [person.id], tell=False)
    take(person, courses[0], 2)
    connector, _secret = make_connector()
    make_acts(connector, [person.id, *make_people(COLLEAGUES)], ACTS_EACH)
    db.session.commit()
    assert person.identity is not None
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = person.identity.fs_uniquifier
        session["_fresh"] = True
    return client


@benchmark("certificates.page", unit="ms CPU", target_ratio=20.0)
def mine(place: Place) -> Result:
    """What somebody holds and may earn, of the four certificates that ship."""
    client = make_learner(place)
    assert "Connected Colleague" in client.get("/certificates").text
    return beside_bare(lambda: client.get("/certificates"), rounds=60)


@benchmark(
    "certificates.printed", unit="a second for a core", target_ratio=0.5, more_is_better=True
)
def printed(place: Place) -> Result:
    """From a stored award to a PDF on the disk: page, QR code, fsync; CPU time, by turns."""
    place.make_app()
    load_library()
    certificate = get_offered("connected-colleague")
    ids = [condition.id for condition in certificate.rule.conditions]
    awards = []
    for number in range(PAPERS):
        person = make_person(f"Imani Okafor {number}")
        met = dict.fromkeys(ids, True)
        award = give(certificate, Standing(person.id, True, dict.fromkeys(ids, 3), met, met))
        assert award is not None
        awards.append(award)
    db.session.commit()
    started = time.process_time()
    pdf.render(page.build_page(awards[0], "Imani Okafor"), b"first", len(ids))
    first_ms = (time.process_time() - started) * 1000
    bare = bare_weasyprint(len(ids))
    ours, theirs, size = [], [], 0
    for number, award in enumerate(awards):
        html = page.build_page(award, f"Imani Okafor {number}")
        started = time.process_time()
        bare(html)
        between = time.process_time()
        content = pdf.render(
            page.build_page(award, f"Imani Okafor {number}"), award.uid.encode(), len(ids)
        )
        documents.store(content)
        size = len(content)
        ours.append(time.process_time() - between)
        theirs.append(between - started)
    return Result(
        value=1 / statistics.median(ours),
        floor=1 / statistics.median(theirs),
        ratio=statistics.median(b / a for a, b in zip(ours, theirs, strict=True)),
        floor_is="WeasyPrint alone: the same page, style, rope and fonts, all kept; plain PDF",
        notes={"first one ms": first_ms, "bytes": size},
    )


def bare_weasyprint(knots: int) -> Callable[[str], bytes]:
    """Return what only draws a page: no tags, no identifier, everything that can be is kept."""
    fonts, images = FontConfiguration(), {}
    border = f".sheet {{ background-image: url({rope.border_data_uri(knots)}) }}"
    sheets = [
        weasyprint.CSS(string=one, font_config=fonts)
        for one in (pdf.STYLE.read_text(encoding="utf-8"), border)
    ]

    def draw(html: str) -> bytes:
        content: bytes = weasyprint.HTML(string=html).write_pdf(
            stylesheets=sheets, font_config=fonts, cache=images
        )
        return content

    draw("<p>Warm.</p>")
    return draw


@benchmark("certificates.given", unit="awards/s", target_ratio=0.04, more_is_better=True)
def given(place: Place) -> Result:
    """A nightly sweep in which 500 people have earned a certificate, nobody noticed before."""
    place.make_app()
    load_library()
    people = make_people(EARNERS)
    connector, _secret = make_connector()
    make_acts(connector, people, ACTS_EACH)
    db.session.execute(
        insert(Completion),
        [
            {"person_id": one, "target": "path/first-30-days", "completed_at": clock.now()}
            for one in people
        ],
    )
    db.session.commit()
    started = time.process_time()
    evaluation.run()
    value = EARNERS / (time.process_time() - started)
    tables = (Award, OutboxStatement, Pending, Notice, Document)
    assert db.session.scalar(select(func.count(Award.id))) == EARNERS
    seconds = sum(raw_insert(place, model) for model in tables)
    return Result(
        value=value,
        floor=EARNERS / seconds,
        floor_is="the same awards, statements, notices and papers, raw, fifty in a commit",
    )
