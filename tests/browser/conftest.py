"""A real Chromium against a live server in a thread, the axe check, and screenshots to look at.

`ROPES_SCREENSHOTS=folder` keeps a picture of every page that a test looks at.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from werkzeug.serving import make_server

from lms.bootstrap.system import find_chromium
from lms.db import db
from lms.people.models import Person
from tests.databases import free_port

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = find_chromium()
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What is expected comes at once or never; on a busy machine, at once takes longer.
expect.set_options(timeout=30_000)
PHONE = (390, 844)
DESK = (1280, 800)
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Live:
    """A running app: `url("/path")` is its address for a browser."""

    app: Flask
    base: str

    def url(self, path: str = "/") -> str:
        """Return the full address of a path; what the test itself had begun is over by then.

        A test that reads after its last commit holds SQLite's one write lock, and the server would
        wait for it: read, then `db.session.rollback()`, then press the next button.
        """
        db.session.rollback()
        return self.base + path


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for the whole run; each test opens its own contexts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def serving(make: Callable[..., Flask]) -> Iterator[Live]:
    """Serve the app that `make(LMS_BASE_URL=..., ...)` returns on loopback, from a thread."""
    port = free_port()
    base = f"http://localhost:{port}"
    app = make(LMS_BASE_URL=base, WTF_CSRF_ENABLED=True)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with app.app_context():
        yield Live(app, base)
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


@pytest.fixture
def live(make_app: Callable[..., Flask]) -> Iterator[Live]:
    """The app over a fresh database, served on loopback from a thread; its context is pushed."""
    with serving(make_app) as live:
        yield live


@pytest.fixture
def open_page(chromium: Browser, live: Live) -> Iterator[Callable[..., Page]]:
    """A function that opens a fresh browser window: `open_page(person, size=PHONE, dark=False)`.

    Every script error, refused policy and failed request in it fails the test at the end.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def enter(
        person: Person | None = None,
        *,
        size: tuple[int, int] = PHONE,
        dark: bool = False,
        javascript: bool = True,
        locale: str = "en-GB",
        watch: bool = True,
    ) -> Page:
        phone = size[0] < 600
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            locale=locale,
            has_touch=phone,
            is_mobile=phone,
            device_scale_factor=2 if phone else 1,
            bypass_csp=False,
        )
        contexts.append(context)
        if person is not None:
            context.add_cookies([session_cookie(live, person)])
        page = context.new_page()
        if watch:
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "console",
                lambda said: complaints.append(said.text) if said.type == "error" else None,
            )
        return page

    yield enter
    for context in contexts:
        context.close()
    assert not complaints, complaints


def session_cookie(live: Live, person: Person) -> dict[str, str]:
    """Return the cookie of a session in which the person is signed in."""
    assert person.identity is not None
    client = live.app.test_client()
    with client.session_transaction(base_url=live.base) as session:
        session["_user_id"] = person.identity.fs_uniquifier
        session["_fresh"] = True
        session["fs_paa"] = time.time()  # signed in just now, for what asks for that
    found = client.get_cookie("ropes", domain="localhost")
    assert found is not None
    db.session.rollback()
    return {"name": "ropes", "value": found.value, "url": live.base}


def axe(page: Page) -> list[str]:
    """Return what axe finds on the page, one line each: rule, help, and where."""
    found = settled(page, lambda: _run_axe(page))
    return [
        f"{violation['id']}: {violation['help']} at {node['target']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def _run_axe(page: Page) -> Any:
    # Evaluated over the debugger's connection, which the page's own policy does not bind.
    page.evaluate(AXE.read_text())
    return page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", AXE_TAGS
    )


def settled(page: Page, look: Callable[[], Any]) -> Any:
    """Return what `look` finds; look again where the page went while it was looked at.

    A press on a link returns before the next page is there; on a busy machine what is asked right
    after it meets the old page as it leaves.
    """
    for _ in range(3):
        page.wait_for_load_state("load")
        try:
            return look()
        except PlaywrightError:
            page.wait_for_timeout(500)
    return look()


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window (0: nothing scrolls sideways)."""
    question = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    width: int = settled(page, lambda: page.evaluate(question))
    return width


def screenshot(page: Page, name: str) -> None:
    """Keep a picture of the page where `ROPES_SCREENSHOTS` asks for it."""
    folder = os.environ.get("ROPES_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
