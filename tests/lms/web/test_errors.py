"""Errors in the look for people, in JSON for machines; forms without a token change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask, abort, request
from flask.testing import FlaskClient

from lms.db import db
from lms.errors import Conflict
from lms.people.access import Who, allow
from lms.people.models import Person
from tests.factories.people import make_person

STATUSES = [400, 401, 403, 404, 405, 410, 413, 415, 418, 429, 500, 503]
JSON = {"Accept": "application/json"}


@pytest.fixture
def trouble(app: Flask) -> Flask:
    @app.get("/trouble/<int:status>")
    @allow(Who.PUBLIC, reason="a test")
    def trouble(status: int) -> str:
        if status == 500:
            raise ZeroDivisionError("the secret word is plimsoll")
        abort(status)

    @app.get("/conflict")
    @allow(Who.PUBLIC, reason="a test")
    def conflict() -> str:
        raise Conflict("Somebody else saved this page. Yours is kept below.")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_a_page_in_our_words(trouble: Flask, status: int) -> None:
    answer = trouble.test_client().get(f"/trouble/{status}")
    assert answer.status_code == status
    assert "<h1>" in answer.text
    assert "Halden Freight" in answer.text or "<title>" in answer.text
    assert "plimsoll" not in answer.text
    assert "Werkzeug" not in answer.text


@pytest.mark.parametrize("status", STATUSES)
def test_machines_get_json(trouble: Flask, status: int) -> None:
    answer = trouble.test_client().get(f"/trouble/{status}", headers=JSON)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]
    assert "plimsoll" not in answer.text


def test_a_fault_of_ours_has_a_code_that_is_also_in_the_log(
    trouble: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    answer = trouble.test_client().get("/trouble/500", headers=JSON)
    assert answer.json is not None
    assert answer.json["incident"] in caplog.text


def test_a_domain_error_keeps_its_sentence(trouble: Flask) -> None:
    answer = trouble.test_client().get("/conflict")
    assert answer.status_code == 409
    assert "Somebody else saved this page." in answer.text


def test_the_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    answer = client.post("/healthz")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


@pytest.fixture
def strict(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """An app that asks for the token, as every real one does."""
    made = make_app(WTF_CSRF_ENABLED=True)
    with made.app_context():
        yield made


def signed_in(app: Flask, person: Person) -> FlaskClient:
    assert person.identity is not None
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = person.identity.fs_uniquifier
    return browser


def test_a_form_without_a_token_changes_nothing(strict: Flask) -> None:
    person = make_person("Imani Okafor")
    browser = signed_in(strict, person)
    answer = browser.post(
        "/language", data={"language": "de"}, headers={"Referer": "http://localhost/settings?a=1"}
    )
    assert answer.status_code == 400
    assert "nothing is lost" in answer.text
    assert 'href="/settings?a=1"' in answer.text
    db.session.expire_all()
    assert person.language == ""


def test_the_way_back_never_leaves_the_site(strict: Flask) -> None:
    answer = strict.test_client().post(
        "/language", data={"language": "de"}, headers={"Referer": "http://elsewhere.test/settings"}
    )
    assert answer.status_code == 400
    assert "elsewhere" not in answer.text


def test_the_token_of_the_page_opens_the_form(strict: Flask) -> None:
    person = make_person("Imani Okafor")
    browser = signed_in(strict, person)
    page = browser.get("/settings").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = browser.post("/language", data={"language": "de", "csrf_token": token})
    assert answer.status_code == 302
    db.session.expire_all()
    assert person.language == "de"


def test_machines_doors_ask_for_no_token(make_app: Callable[..., Flask], monkeypatch: Any) -> None:
    from lms import app as app_module
    from lms.plugin import Plugin

    door = Blueprint("door", __name__, url_prefix="/door")

    @door.post("/")
    @allow(Who.MACHINE, reason="a test")
    def knock() -> str:
        if request.form.get("fail"):
            abort(413)
        return "in"

    room = Plugin(name="door", label="door", blueprints=(door,), csrf_exempt=(door,))
    monkeypatch.setattr(app_module, "ROOMS", (*app_module.ROOMS, room))
    app = make_app(WTF_CSRF_ENABLED=True)
    assert app.test_client().post("/door/").text == "in"
    refused = app.test_client().post("/door/", data={"fail": "1"})
    assert refused.json == {"error": "That is too large to send"}
