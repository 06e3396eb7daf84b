"""The app starts, and says plainly why it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from lms.app import create_app
from lms.errors import Misconfigured
from lms.people.models import Person
from tests.factories.people import make_person


def test_home_greets(sign_in: Callable[[Person], FlaskClient]) -> None:
    assert sign_in(make_person("Imani Okafor")).get("/").status_code == 200


def test_health_names_what_is_wrong(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert "ropes work" in answer.json["checks"]["worker"]
    assert answer.json["checks"]["migrations"] == "ok"


def test_default_secret_is_refused() -> None:
    with pytest.raises(Misconfigured, match="LMS_SECRET_KEY"):
        create_app({"LMS_SECRET_KEY": "changeme"})


def test_missing_requirement_is_named(app: Flask, make_app: Callable[..., Flask]) -> None:
    with pytest.raises(Misconfigured, match="needs “xapi”"):
        make_app(LMS_PLUGINS=("courses",))


@pytest.mark.parametrize(("proxies", "seen"), [(0, "127.0.0.1"), (1, "203.0.113.9")])
def test_who_asks_is_believed_of_trusted_proxies_only(
    make_app: Callable[..., Flask], proxies: int, seen: str
) -> None:
    app = make_app(LMS_TRUSTED_PROXIES=proxies)
    found: list[str | None] = []
    app.before_request(lambda: found.append(request.remote_addr))
    forged = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
    app.test_client().get("/healthz", headers=forged)
    assert found == [seen]
