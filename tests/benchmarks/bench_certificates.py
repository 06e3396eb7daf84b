"""Certificates printed a second, for one core."""

from __future__ import annotations

import time

from certificates import documents
from certificates.awards import give
from certificates.catalogue import get_offered, load_library
from certificates.rendering import page, pdf
from certificates.rules.compile import Standing
from lms.db import db
from tests.benchmarks.harness import Place, Result, benchmark
from tests.factories.people import make_person

PAPERS = 40
BARE = '<html lang="en"><title>t</title><h1>Imani Okafor</h1><p>Connected Colleague</p></html>'


@benchmark("certificates.printed", unit="a second for a core", target=12, more_is_better=True)
def printed(place: Place) -> Result:
    """From a stored award to a PDF on the disk: page, QR code, rope, fonts, fsync; CPU time."""
    place.make_app()
    load_library()
    certificate = get_offered("connected-colleague")
    ids = [condition.id for condition in certificate.rule.conditions]
    awards = []
    for number in range(PAPERS):
        person = make_person(f"Imani Okafor {number}")
        award = give(
            certificate,
            Standing(
                person.id,
                True,
                dict.fromkeys(ids, 3),
                dict.fromkeys(ids, True),
                dict.fromkeys(ids, True),
            ),
        )
        assert award is not None
        awards.append(award)
    db.session.commit()
    started = time.process_time()
    pdf.render(page.build_page(awards[0], "Imani Okafor"), b"first", len(ids))
    first_ms = (time.process_time() - started) * 1000
    size = 0
    started = time.process_time()
    for number, award in enumerate(awards):
        html = page.build_page(award, f"Imani Okafor {number}")
        content = pdf.render(html, award.uid.encode(), len(ids))
        documents.store(content)
        size = len(content)
    rate = PAPERS / (time.process_time() - started)
    started = time.process_time()
    for _ in range(PAPERS):
        pdf.render(BARE, b"bare", len(ids))
    floor = PAPERS / (time.process_time() - started)
    return Result(
        value=rate,
        floor=floor,
        floor_is="WeasyPrint, two lines of text in the same style and rope",
        notes={"first one ms": first_ms, "bytes": size},
    )
