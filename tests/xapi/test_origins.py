"""Pages of other sites call the store, where a credential names their origin, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lms.db import db
from lms.errors import Invalid
from tests.factories.people import make_person
from tests.queries import counted
from tests.xapi.lrs import Provider, statement
from xapi.lrs import credentials
from xapi.lrs.origins import read_origin, read_origins

RISE, H5P = "https://rise.example.test", "https://h5p.example.test:8443"
ALLOWED = "Access-Control-Allow-Origin"


def content(app: Flask, *origins: str, **more: Any) -> Provider:
    """Return a system whose pages may be at these origins."""
    provider = Provider(app, **more)
    credentials.allow_origins(provider.key, origins)
    db.session.commit()
    return provider


def preflight(app: Flask, origin: str, method: str = "PUT", **more: str) -> TestResponse:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, **more}
    return app.test_client().options("/xapi/statements", headers=asked)


def from_page(provider: Provider, origin: str, method: str = "GET", **more: Any) -> TestResponse:
    site = {"Origin": origin, "Sec-Fetch-Site": "cross-site", **more.pop("headers", {})}
    return provider.ask(method, headers=site, **more)


def test_a_page_may_ask_and_read_where_its_credential_names_it(app: Flask) -> None:
    provider = content(app, RISE)
    asked = preflight(app, RISE, **{"Access-Control-Request-Headers": "authorization"})
    assert asked.status_code == 204
    assert asked.headers[ALLOWED] == RISE
    taken = asked.headers["Access-Control-Allow-Headers"]
    for header in ("Authorization", "Content-Type", "X-Experience-API-Version", "If-Match"):
        assert header in taken
    answer = from_page(provider, RISE, "POST", json=statement())
    assert answer.status_code == 200
    assert answer.headers[ALLOWED] == RISE
    exposed = answer.headers["Access-Control-Expose-Headers"]
    assert {"ETag", "X-Experience-API-Version", "Last-Modified"} <= set(exposed.split(", "))


def test_cookies_are_never_taken(app: Flask) -> None:
    provider = content(app, RISE)
    for answer in (preflight(app, RISE), from_page(provider, RISE)):
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Set-Cookie" not in answer.headers


def test_a_request_is_held_against_its_own_credential(app: Flask) -> None:
    content(app, RISE)
    other = content(app, H5P)
    assert preflight(app, RISE).status_code == 204
    answer = from_page(other, RISE, "POST", json=statement())
    assert answer.status_code == 403
    assert RISE in answer.json["error"]
    assert answer.headers[ALLOWED] == RISE  # so that whoever looks for the fault can read it
    assert other.find() == []


def test_none_is_allowed_unless_somebody_wrote_it(app: Flask) -> None:
    provider = Provider(app)
    assert preflight(app, RISE).status_code == 403
    answer = from_page(provider, RISE, "POST", json=statement())
    assert answer.status_code == 403
    assert ALLOWED not in answer.headers
    assert provider.find() == []


@pytest.mark.parametrize(
    "origin",
    [
        "https://rise.example.test.evil.test", "http://rise.example.test", "null", "",
        "https://rise.example.test:444", "https://RISE.example.test", "*", f"{RISE} {H5P}",
    ],
)  # fmt: skip
def test_an_origin_is_taken_to_the_letter(app: Flask, origin: str) -> None:
    provider = content(app, RISE, H5P)
    assert preflight(app, origin).status_code == 403
    answer = from_page(provider, origin, "POST", json=statement())
    assert answer.status_code == 403
    assert ALLOWED not in answer.headers


def test_what_names_no_origin_stays_out(app: Flask) -> None:
    """A picture or a link of another page, with a key that the browser remembers."""
    provider = content(app, RISE)
    for site in ("cross-site", "same-site"):
        answer = provider.ask("GET", headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403


def test_a_browser_without_fetch_metadata_is_held_to_its_origin(app: Flask) -> None:
    provider = content(app, RISE)
    assert provider.ask("GET", headers={"Origin": RISE}).status_code == 200
    assert provider.ask("GET", headers={"Origin": H5P}).status_code == 403
    assert provider.ask("GET", headers={"Origin": "http://localhost"}).status_code == 200  # our own


def test_what_is_revoked_or_changed_is_over_at_the_next_request(app: Flask) -> None:
    revoked, moved = content(app, RISE), content(app, H5P)
    assert [from_page(revoked, RISE).status_code, from_page(moved, H5P).status_code] == [200, 200]
    credentials.revoke(revoked.key)
    credentials.allow_origins(moved.key, [])
    db.session.commit()
    assert [preflight(app, RISE).status_code, preflight(app, H5P).status_code] == [403, 403]
    assert from_page(revoked, RISE).status_code == 401
    assert from_page(moved, H5P).status_code == 403


def test_refusals_can_be_read_by_the_page(app: Flask) -> None:
    provider = content(app, RISE)
    wrong = from_page(provider, RISE, "POST", json={"nothing": 1})
    stranger = from_page(provider, RISE, headers={"Authorization": "Basic eDp5"})
    nowhere = from_page(provider, RISE, path="statements?statementId=x")
    assert [one.status_code for one in (wrong, stranger, nowhere)] == [400, 401, 400]
    for answer in (wrong, stranger, nowhere):
        assert answer.headers[ALLOWED] == RISE


def test_the_alternate_syntax_is_held_to_the_origin_of_its_page(app: Flask) -> None:
    """1.0.3, Communication 1.3: the credential comes in the form, the origin from the browser."""
    provider = content(app, RISE)
    form = {**provider.headers, "limit": "1", "Origin": RISE}
    site = {"Sec-Fetch-Site": "cross-site"}
    told = {"query_string": "method=GET", "method": "POST"}
    client = app.test_client()
    answer = client.open("/xapi/statements", **told, headers={**site, "Origin": H5P}, data=form)
    assert answer.status_code == 403
    del form["Origin"]
    answer = client.open("/xapi/statements", **told, headers={**site, "Origin": RISE}, data=form)
    assert answer.status_code == 200
    assert answer.headers[ALLOWED] == RISE


def test_about_needs_no_credential(app: Flask) -> None:
    content(app, RISE)
    client = app.test_client()
    for origin, allowed in ((RISE, RISE), (H5P, None)):
        answer = client.get("/xapi/about", headers={"Origin": origin})
        assert answer.status_code == 200
        assert answer.headers.get(ALLOWED) == allowed


def test_caches_keep_the_answers_to_each_origin_apart(app: Flask) -> None:
    provider = content(app, RISE)
    for answer in (provider.ask("GET"), from_page(provider, RISE), preflight(app, RISE)):
        assert "Origin" in answer.headers.get_all("Vary")


def test_a_page_out_there_may_reach_a_store_on_a_private_network(app: Flask) -> None:
    content(app, RISE)
    private = {"Access-Control-Request-Private-Network": "true"}
    assert preflight(app, RISE, **private).headers["Access-Control-Allow-Private-Network"] == "true"
    assert "Access-Control-Allow-Private-Network" not in preflight(app, RISE).headers


def test_a_preflight_costs_one_query_and_writes_nothing(app: Flask) -> None:
    for _ in range(5):
        content(app, RISE)
    with counted() as queries:
        assert preflight(app, RISE).status_code == 204
    assert len(queries) == 0  # it goes to the driver, past SQLAlchemy


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" https://Content.Example.com/ ", "https://content.example.com"),
        ("https://content.example.com:443", "https://content.example.com"),
        ("https://content.example.com:8443", "https://content.example.com:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(written: str, kept: str) -> None:
    assert read_origin(written) == kept


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("*", "wildcard"), ("https://*.example.com", "wildcard"), ("null", "files"),
        ("https://content.example.com/course/1", "https://content.example.com is enough"),
        ("https://content.example.com?a=1", "what follows the host"),
        ("https://key:secret@content.example.com", "what follows the host"),
        ("http://content.example.com", "write https"), ("content.example.com", "scheme and the host"),
        ("file:///tmp", "scheme and the host"), ("https://", "scheme and the host"),
        ("https://a b.example", "scheme and the host"), ("https://a.example:99999", "scheme"),
        ("https://" + "a" * 300 + ".example", "scheme"),
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused_in_words(app: Flask, written: str, says: str) -> None:
    with app.test_request_context(), pytest.raises(Invalid, match=says.replace("?", ".")) as raised:
        read_origin(written)
    assert raised.value.field == "origins"


def test_no_credential_names_half_the_web(app: Flask) -> None:
    lines = [f"https://{number}.example.test" for number in range(21)]
    assert len(read_origins(["", *lines[:20], lines[0]])) == 20
    with app.test_request_context(), pytest.raises(Invalid, match="At most 20"):
        read_origins(lines)


def test_an_administrator_writes_them_one_a_line(
    app: Flask, sign_in: Callable[..., FlaskClient]
) -> None:
    browser = sign_in(make_person("Jonas Brandt", is_administrator=True))
    made, _secret = credentials.add("Rise", ("all",))
    db.session.commit()
    address = f"/xapi/credentials/{made.uid}"
    kept = browser.post(f"{address}/origins", data={"origins": f"{RISE}/\r\n\r\n{H5P}"})
    assert kept.status_code == 302
    page = browser.get(address).text
    assert f"{RISE}\n{H5P}" in page  # in the field, to be changed
    refused = browser.post(f"{address}/origins", data={"origins": "https://*.example.test"})
    assert refused.status_code == 422
    assert "wildcard" in refused.text
    assert "https://*.example.test" in refused.text  # what was written is not lost
    new = {"name": "Storyline", "scopes": ["all"], "version": "1", "origins": "null"}
    refused = browser.post("/xapi/credentials/new", data={**new, "uid": "a" * 26})
    assert refused.status_code == 422
    assert "files" in refused.text
