"""The statement browser against those who write statements: nothing of theirs runs, hides or turns.

A payload stands in every text that the standard lets a statement hold. Each page is opened in a
real browser under our policy: nothing may run, and the policy may have nothing to report, since a
refused script would mean that markup of theirs came through.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from playwright.sync_api import Page

from lms.db import db
from tests.browser.conftest import DESK, PHONE, Live, overflow
from tests.browser.inspection import Watch, inspect
from tests.factories.people import make_person
from tests.xapi.lrs import Provider, statement
from xapi.lrs.keys import digest, find_agent_key

pytestmark = pytest.mark.browser

PAYLOADS = (
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    "'\"><svg onload=window.hit=1>",
    "</code></pre></title></textarea><script>window.hit=1</script>",
    "{{ 7*7 }}${7*7}%(who)s%s{0}",
    "javascript:window.hit=1//",
    "\u202e\u2066gnp.exe\u0007\u200b\u2028\u061c end",
    "e\u0301\u0302\u0303\u0304\u0305" * 40,
    "A" * 3000,
    "\u064a\u0648\u0633\u0641\u200f </bdi></b> \u0627\u0644",
)
HIDDEN = re.compile("[\u202a-\u202e\u2067\u0000-\u0008\u200b\u2028\u2029\u0080-\u009f]")


def hostile(payload: str) -> dict[str, Any]:
    """Return a valid statement with the payload in every text that it may hold."""
    told, content = {"en": payload, "ar": payload}, payload.encode()
    sha2 = hashlib.sha256(content).hexdigest()
    thing = {
        "objectType": "Activity",
        "id": f"urn:x:{re.sub(r'[^a-z]', '', payload.lower())[:40]}",
        "definition": {
            "name": told,
            "description": told,
            "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
            "interactionType": "choice",
            "correctResponsesPattern": [payload],
            "choices": [{"id": "a", "description": told}],
            "extensions": {"http://example.test/x": {payload: payload}},
        },
    }
    member = {"name": payload, "account": {"homePage": "http://x.test/", "name": payload}}
    return statement(
        actor={"objectType": "Group", "name": payload, "member": [member, member]},
        verb={"id": f"http://example.test/verbs/{digest(payload)}", "display": told},
        object=thing,
        result={"response": payload, "success": True, "duration": "PT1M",
                "score": {"raw": 1e300, "max": 1e301},
                "extensions": {"http://example.test/x": payload}},
        context={
            "platform": payload,
            "language": "en",
            "instructor": member,
            "contextActivities": {"grouping": [thing], "other": [thing]},
            "extensions": {"http://example.test/x": payload},
        },
        attachments=[
            {"usageType": "http://example.test/u", "display": told, "description": told,
             "contentType": "text/html", "length": len(content), "sha2": sha2,
             "fileUrl": "javascript:window.hit=1"}
        ],
    )  # fmt: skip


def send(provider: Provider, told: list[dict[str, Any]]) -> None:
    """Store statements with their attachments, as multipart."""
    parts = [("application/json", {}, orjson.dumps(told))]
    for payload in PAYLOADS:
        content = payload.encode()
        more = {
            "Content-Transfer-Encoding": "binary",
            "X-Experience-API-Hash": hashlib.sha256(content).hexdigest(),
        }
        parts.append(("text/html", more, content))
    body = b""
    for media_type, headers, content in parts:
        lines = [
            f"Content-Type: {media_type}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        body += b"--edge\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + content + b"\r\n"
    answer = provider.ask(
        "POST",
        data=body + b"--edge--\r\n",
        headers={"Content-Type": "multipart/mixed; boundary=edge"},
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_hostile_statements_are_shown_as_text(
    live: Live, open_page: Callable[..., Page], size: tuple[int, int]
) -> None:
    told = [hostile(payload) for payload in PAYLOADS]
    stranger = {"name": PAYLOADS[0], "account": {"homePage": "http://x.test/", "name": PAYLOADS[6]}}
    told.append(statement(actor=stranger, object={"objectType": "Agent", **stranger}))
    referred = {"objectType": "StatementRef", "id": told[0]["id"]}
    told.append(statement(actor=stranger, object=referred))
    inner = {name: told[1][name] for name in ("actor", "verb", "object", "result", "context")}
    told.append(statement(object={"objectType": "SubStatement", **inner}))
    provider = Provider(live.app)
    send(provider, told)
    make_person("<script>window.hit=1</script>\u202e")
    admin = make_person("Jonas Brandt", is_administrator=True)
    db.session.commit()
    page = open_page(admin, size=size, watch=False)
    watch = Watch(page)
    page.add_init_script("addEventListener('securitypolicyviolation', () => { window.hit = 1 })")

    def look() -> None:
        assert page.evaluate("window.hit") is None, page.url
        assert overflow(page) == 0, page.url
        words = page.locator("body").inner_text()
        assert not HIDDEN.search(words), (page.url, HIDDEN.search(words))
        attributes = page.evaluate(
            "[...document.querySelectorAll('*')].flatMap((one) => [...one.attributes]"
            ".map((two) => two.value)).concat(document.title)"
        )
        assert not [one for one in attributes if HIDDEN.search(one) or "onerror" in one]
        assert watch.take() == []

    page.goto(live.url("/xapi/browser"))
    look()
    assert inspect(page) == []
    assert "<script>window.hit=1</script>" in page.locator(".xapi-told").inner_text()
    addresses = page.locator(".xapi-says > a").evaluate_all(
        "all => all.map((one) => one.getAttribute('href'))"
    )
    assert len([one for one in addresses if "/agent/" not in one]) >= len(told)
    for number, one in enumerate(told):
        page.goto(live.url(f"/xapi/browser/{one['id']}"))
        look()
        shown = json.loads(page.locator("#text").inner_text())
        assert shown["actor"].get("name") == one["actor"].get("name")
        if number in (0, 6, 9):
            assert inspect(page) == []
        if number == 6:
            assert "[U+202E]" in page.locator("h1").inner_text()
            assert "\\u202e" in page.locator("#text").inner_text()
    page.goto(live.url(f"/xapi/browser/agent/{find_agent_key(stranger)}"))
    look()
    # Searched for by name: the strangers and the person of ours, to choose from.
    page.goto(live.url("/xapi/browser"))
    if not page.locator("#who").is_visible():
        page.locator(".xapi-search > summary").click()
    page.locator("#who").fill("script")
    page.locator("#who").press("Enter")
    page.locator(".choice").first.wait_for()
    look()
    assert inspect(page) == []


def test_an_attachment_is_only_ever_saved(live: Live, open_page: Callable[..., Page]) -> None:
    told = [hostile(payload) for payload in PAYLOADS]
    send(Provider(live.app), told)
    page = open_page(make_person("Jonas Brandt", is_administrator=True), size=DESK)
    page.goto(live.url(f"/xapi/browser/{told[0]['id']}"))
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download").click()
    assert coming.value.suggested_filename == "attachment-1.bin"
    answer = page.request.get(live.url(f"/xapi/browser/{told[0]['id']}/attachments/1"))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="attachment-1.bin"'
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.body() == PAYLOADS[0].encode()
    for number in (0, 2):
        gone = page.request.get(live.url(f"/xapi/browser/{told[0]['id']}/attachments/{number}"))
        assert gone.status == 404


def test_it_works_without_javascript(live: Live, open_page: Callable[..., Page]) -> None:
    told = statement()
    Provider(live.app).post(told)
    admin = make_person("Jonas Brandt", is_administrator=True)
    page = open_page(admin, size=PHONE, javascript=False)
    page.goto(live.url("/xapi/browser"))
    page.locator(".xapi-search > summary").click()
    page.locator("#who").fill("leila")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/agent/*")
    page.locator(".xapi-says > a").last.click()
    assert json.loads(page.locator("#text").inner_text())["id"] == told["id"]
    assert page.get_by_role("button", name="Copy").count() == 0


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_credential_from_the_first_to_the_last_press(
    live: Live, open_page: Callable[..., Page], size: tuple[int, int]
) -> None:
    admin = make_person("Jonas Brandt", is_administrator=True)
    db.session.commit()
    page = open_page(admin, size=size)
    page.goto(live.url("/xapi/credentials"))
    assert inspect(page) == []
    page.get_by_role("link", name="New credential").click()
    page.get_by_label("Which system is it for?").fill("Forklift <simulator>")
    assert inspect(page) == []
    page.get_by_role("button", name="Make it, and show the secret").click()
    page.locator("#secret").wait_for()
    assert inspect(page) == []
    first = page.locator("#secret").input_value()
    page.get_by_role("link", name="I have it").click()
    page.get_by_role("button", name="New secret").click()
    page.locator("#secret").wait_for()
    assert page.locator("#secret").input_value() != first
    page.get_by_role("link", name="I have it").click()
    assert inspect(page) == []
    page.get_by_role("button", name="End the old one now").click()
    page.get_by_text("The old secret is refused from now on.").wait_for()
    page.locator("summary", has_text="Revoke").click()
    page.get_by_label("Yes, turn this system away").check()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_text("Revoked. The next request").wait_for()
    assert "Forklift <simulator>" in page.locator("table").inner_text()
    assert inspect(page) == []
