"""Certificates without courses and without a network: it starts, and says plainly what is missing."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from certificates import administration, evaluation
from certificates.catalogue import load_library
from lms.db import db, transaction
from tests.factories.people import make_person


def test_it_runs_alone_and_doctor_names_what_nobody_measures(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(LMS_PLUGINS=("xapi", "certificates"))
    with app.app_context():
        with transaction():
            load_library()
        person = make_person("Imani Okafor")
        assert person.identity is not None
        evaluation.run()
        browser = app.test_client()
        with browser.session_transaction() as session:
            session["_user_id"] = person.identity.fs_uniquifier
            session["_fresh"] = True
        assert "Connected Colleague" in browser.get("/certificates").text
        shown = browser.get("/certificates/earn/connected-colleague").text
        assert shown.count("cannot be met at the moment") == 5
        said = administration.check_rules()
        assert said is not None
        assert "no plugin that is on measures First 30 days" in said
        db.session.rollback()
