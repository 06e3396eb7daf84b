"""What every answer carries: headers, the policy, static files, compression."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

import brotli
import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient

from lms.people.access import Who, allow
from lms.people.models import Person
from lms.web import assets, security
from tests.factories.people import make_person

SignIn = Callable[[Person], FlaskClient]


def test_policy_lets_nothing_run_but_by_nonce(sign_in: SignIn) -> None:
    browser = sign_in(make_person("Imani Okafor"))
    first, second = browser.get("/"), browser.get("/")
    policy = first.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "report" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    nonce = re.search(r"script-src 'nonce-([\w-]{20,})'", policy)
    assert nonce is not None
    assert f'nonce="{nonce[1]}"' in first.text
    assert nonce[1] not in second.headers["Content-Security-Policy"]


def test_signed_in_pages_are_kept_by_nobody(sign_in: SignIn, client: FlaskClient) -> None:
    page = sign_in(make_person()).get("/")
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "Strict-Transport-Security" not in page.headers
    assert client.get("/healthz").headers["Cache-Control"] == "private, no-cache"


def test_https_is_remembered(make_app: Callable[..., Flask]) -> None:
    app = make_app(LMS_BASE_URL="https://learn.example.test")
    answer = app.test_client().get("/healthz")
    assert "max-age=" in answer.headers["Strict-Transport-Security"]


def test_a_view_may_let_our_own_pages_frame_it(app: Flask, client: FlaskClient) -> None:
    @app.get("/framed")
    @allow(Who.PUBLIC, reason="a test")
    def framed() -> str:
        security.allow_framing()
        return "a frame"

    answer = client.get("/framed")
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_static_files_are_kept_for_good_under_their_hash(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        address = assets.asset("web/ropes.css")
    answer = client.get(address, headers={"Accept-Encoding": "br"})
    assert answer.status_code == 200
    assert answer.mimetype == "text/css"
    assert "immutable" in answer.headers["Cache-Control"]
    assert b"--paper" in brotli.decompress(answer.data)
    assert "Set-Cookie" not in answer.headers
    tag = answer.headers["ETag"]
    again = client.get(address, headers={"Accept-Encoding": "br", "If-None-Match": tag})
    assert again.status_code == 304
    old = client.get(address.replace(assets.assets().version, "0" * 12))
    assert old.status_code == 200
    assert old.headers["Cache-Control"] == "no-cache"


def test_what_is_everybodys_carries_nobodys_session(app: Flask, sign_in: SignIn) -> None:
    """A cache on the way would hand the cookie on; and a copy that varies by it is soon worthless."""
    browser = sign_in(make_person())
    with browser.session_transaction() as session:
        session.permanent = True
    with app.test_request_context():
        address = assets.asset("web/ropes.css")
    assert any("ropes=" in one for one in browser.get("/").headers.getlist("Set-Cookie"))
    answer = browser.get(address)
    assert answer.headers["Cache-Control"].startswith("public")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "name", ["web/nothing.css", "../part.py", "%2e%2e/part.py", "web/../../part.py"]
)
def test_only_static_files_are_served(app: Flask, client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/{assets.assets().version}/{name}").status_code in (301, 308, 404)


def test_an_asset_that_nobody_brings_is_a_fault(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(LookupError, match=r"web/none\.js"):
        assets.asset("web/none.js")


def test_the_first_view_brings_the_styles_along_and_the_next_links_to_them(
    sign_in: SignIn,
) -> None:
    browser = sign_in(make_person())
    first = browser.get("/").text
    assert "<style nonce=" in first
    assert "--paper:" in first
    second = browser.get("/").text
    assert "<style" not in second
    assert '<link rel="stylesheet" href="/static/' in second


@pytest.mark.parametrize(
    ("accepted", "undo"),
    [("gzip, br", brotli.decompress), ("gzip", gzip.decompress), ("identity", bytes)],
)
def test_pages_are_compressed_as_the_browser_likes(
    sign_in: SignIn, accepted: str, undo: Callable[[bytes], bytes]
) -> None:
    answer = sign_in(make_person("Imani Okafor")).get("/", headers={"Accept-Encoding": accepted})
    assert b"Imani" in undo(answer.data)
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_parts_escape_what_they_are_given(app: Flask) -> None:
    with app.test_request_context():
        page = render_template_string(
            '{% from "web/parts.html" import rope, condition, empty, big_number, notice, button %}'
            "{{ rope(1, 2, x) }}{{ condition('done', x, x, x, (x, x)) }}{{ empty(x, x, x, x) }}"
            "{{ big_number(x, x, x) }}{{ notice(x) }}{{ button(x, x) }}",
            x='"><script>alert(1)</script>',
        )
    assert "<script>" not in page
    assert '""' not in page
