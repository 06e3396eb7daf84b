"""The inspection of pages finds what it is there for, and leaves a good page alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.conftest import PHONE
from tests.browser.inspection import Watch, inspect

pytestmark = pytest.mark.browser

STYLES = Path(__file__).parents[2] / "lms" / "web" / "static" / "web" / "ropes.css"
GOOD = '<h1>A page</h1><p>Words and <a href="#main">a link</a>.</p><p><a href="#main">Alone</a></p>'


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    yield context.new_page()
    context.close()


def shown(page: Page, body: str, title: str = "A title") -> list[str]:
    page.set_content(
        f'<!doctype html><html lang="en"><head><title>{title}</title>'
        f"<style>{STYLES.read_text()}</style></head>"
        f'<body><main class="page stack" id="main">{body}</main></body></html>'
    )
    return inspect(page)


def test_a_good_page_has_nothing_wrong(page: Page) -> None:
    assert shown(page, GOOD) == []


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        ('<p style="color: #bbb">Pale</p>', "color-contrast"),
        ('<input class="input" name="code">', "label: Form elements must have labels"),
        ('<p style="inline-size: 130vw">Wide</p>', "px wider than the window"),
        ("<button style='block-size: 1rem; padding: 0'>Low</button>", "target of"),
        ("<h1>Another page</h1>", "2 headings of the first level"),
        ("<h4>Deep</h4>", "heading-order"),
        ('<a class="button" href="#a">Go</a><a class="button" href="#b">Stay</a>', "2 filled"),
        (
            '<ul class="menu" style="display: flex; flex-wrap: wrap">'
            + '<li style="inline-size: 60%"><a href="#main">There</a></li>' * 2
            + "</ul>",
            "the menu wraps: 2 lines",
        ),
    ],
)
def test_what_is_broken_is_found(page: Page, broken: str, found: str) -> None:
    complaints = shown(page, GOOD + broken)
    assert any(found in one for one in complaints), complaints


def test_a_page_has_a_title(page: Page) -> None:
    assert "no title" in shown(page, GOOD, title="")


def test_what_goes_wrong_on_the_way_is_heard(chromium: Browser) -> None:
    context = chromium.new_context()
    window = context.new_page()
    watch = Watch(window)
    policy = {"Content-Security-Policy": "default-src 'self'; script-src 'nonce-right'"}

    def answer(route: Route) -> None:
        address = route.request.url
        if address.endswith("/lost.css"):
            route.fulfill(status=404, body="")
        elif address.endswith("/cut.css"):
            route.abort("connectionrefused")
        else:
            route.fulfill(
                headers=policy,
                content_type="text/html",
                body='<link rel="stylesheet" href="/lost.css"><link rel="stylesheet" href="/cut.css">'
                "<p style='color: red'>Inline</p><script nonce='right'>missing()</script>",
            )

    context.route("**/*", answer)
    window.goto("http://house.test/")
    heard = "\n".join(watch.take())
    context.close()
    for one in (
        "404: http://house.test/lost.css",
        "failed: http://house.test/cut.css",
        "refused by the policy: style-src",
        "script error: missing is not defined",
    ):
        assert one in heard
    assert watch.take() == []
