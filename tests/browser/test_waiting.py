"""The page that waits for a certificate shows it when it is there, and does not move before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from certificates.awards import give
from certificates.catalogue import get_offered, load_library
from certificates.rules.compile import Standing
from lms.db import db
from lms.jobs.queue import run_pending
from tests.browser.conftest import Live
from tests.factories.people import make_person

pytestmark = pytest.mark.browser


def test_the_certificate_appears_by_itself(live: Live, open_page: Callable[..., Page]) -> None:
    load_library()
    imani = make_person("Imani Okafor")
    certificate = get_offered("visible-leader")
    every = [one.id for one in certificate.rule.conditions]
    met = dict.fromkeys(every, True)
    award = give(certificate, Standing(imani.id, True, dict.fromkeys(every, 1), met, met))
    assert award is not None
    path = f"/certificates/awards/{award.uid}"
    db.session.commit()
    page = open_page(imani)
    page.goto(live.url(path))
    expect(page.get_by_text("is being printed")).to_be_visible()
    page.evaluate("window.untouched = true")
    with page.expect_response(lambda answer: answer.url.endswith(path)):
        pass  # it has looked, and found nothing
    assert page.evaluate("window.untouched")
    run_pending()
    db.session.rollback()
    expect(page.get_by_role("link", name="Download the certificate")).to_be_visible(timeout=15_000)
