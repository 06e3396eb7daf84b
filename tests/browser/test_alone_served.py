"""The record store standing alone, as its page tells it: each command of the page is run.

`docs/administrators/standalone-lrs.md` in an empty folder: `ropes serve`, an administrator, a key,
curl; then a client that is not ours (tincan), and the pages in Chromium.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import tincan
from playwright.sync_api import Browser

from tests.browser.conftest import DESK, PHONE, screenshot
from tests.browser.inspection import Watch, inspect
from tests.databases import free_port

pytestmark = [pytest.mark.long, pytest.mark.browser]

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "administrators" / "standalone-lrs.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
SETTINGS, ADMINISTRATOR, CREDENTIAL, KEY, ABOUT, STATEMENTS, WELL = BLOCKS
PASSWORD = "a rope of many fathoms"


@dataclass
class Terminal:
    """A shell in a folder, which remembers what was exported."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def run(self, block: str) -> str:
        """Run a block of the page; return what it wrote to standard output."""
        after = self.folder / ".environment"
        done = subprocess.run(
            ["bash", "-c", f"{block}\nenv -0 > {after}"],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        said = (line.partition("=") for line in after.read_text().split("\0") if line)
        self.env = {name: value for name, _, value in said}
        after.unlink()
        return done.stdout


def healthy(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal in an empty folder, where the store is served as the page says."""
    port = free_port()
    folder = tmp_path / "ropes"
    folder.mkdir()
    (folder / ".venv").symlink_to(sys.prefix)  # what `make serve` would have made there
    made = Terminal(folder, {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ})
    made.env["PYTHONPATH"] = str(ROOT)
    made.env["NO_PROXY"] = made.env["no_proxy"] = "127.0.0.1"
    made.run(SETTINGS.replace(":8000", f":{port}"))
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [str(folder / ".venv/bin/ropes"), "serve", "--port", str(port)],
        cwd=folder, env=made.env, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not healthy(made.env["LMS_BASE_URL"]):
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
        yield made
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def walk_pages(browser: Browser, link: str, base: str) -> dict[str, str]:
    """Join by the link, then open every page that is linked; return their words by address."""
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    page = context.new_page()
    watch = Watch(page)
    page.goto(link)
    assert inspect(page) == []
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    page.wait_for_load_state("load")
    assert inspect(page) == []
    seen: dict[str, str] = {}
    waiting = [base + "/"]
    while waiting:
        address = waiting.pop(0)
        if address in seen:
            continue
        for size in (PHONE, DESK):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            answer = page.goto(address)
            assert answer is not None
            assert answer.status == 200, address
            assert inspect(page) == [], address
            name = address.removeprefix(base).strip("/").replace("/", "-") or "home"
            screenshot(page, f"alone-{re.sub('[^a-z-]', '_', name)}-{size[0]}")
        seen[address] = page.locator("main").inner_text()
        links = page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
        here = [one.partition("#")[0] for one in links if one.startswith(base)]
        # A file that is saved is no page; the JSON of one statement stands for all.
        waiting += [one for one in here if not one.endswith((".csv", "json")) and "?" not in one]
    assert watch.take() == []
    context.close()
    return seen


def test_the_page_word_by_word(terminal: Terminal, chromium: Browser) -> None:
    assert shutil.which("curl"), "the page says curl"
    base = terminal.env["LMS_BASE_URL"]
    link = re.search(r"http\S+/join/\S+", terminal.run(ADMINISTRATOR))
    assert link is not None
    made = dict(line.split() for line in terminal.run(CREDENTIAL).splitlines())
    assert made["endpoint"] == f"{base}/xapi/"
    terminal.run(
        KEY.replace("ropes-0123456789abcdef", made["key"]).replace(
            "what-was-printed", made["secret"]
        )
    )
    assert terminal.env["SECRET"] == made["secret"]
    assert '"1.0.3"' in terminal.run(ABOUT)
    sent, got = terminal.run(STATEMENTS).split("]", 1)
    assert sent.strip('["') in got
    assert '"authority"' in got
    well = terminal.run(WELL)
    assert "2 to look at." in well  # no HTTPS and no mail, as the page says
    assert '"status":"ok"' in well.replace(" ", "")

    lrs = tincan.RemoteLRS(
        version="1.0.3",
        endpoint=made["endpoint"],
        username=made["key"],
        password=made["secret"],
    )
    saved = lrs.save_statement(
        tincan.Statement(
            actor=tincan.Agent(account={"home_page": "https://hr.example.com", "name": "4712"}),
            verb=tincan.Verb(id="http://adlnet.gov/expapi/verbs/passed", display={"en": "passed"}),
            object=tincan.Activity(id="https://hr.example.com/trainings/crane"),
        )
    )
    assert saved.success, saved.data
    found = lrs.query_statements({"verb": tincan.Verb(id="http://adlnet.gov/expapi/verbs/passed")})
    assert [str(one.id) for one in found.content.statements] == [str(saved.content.id)]
    newest = httpx.get(
        f"{made['endpoint']}statements",
        auth=(made["key"], made["secret"]),
        headers={"X-Experience-API-Version": "2.0.0"},
        trust_env=False,
    )
    assert len(newest.json()["statements"]) == 2

    pages = walk_pages(chromium, link[0], base)
    assert "It is ready to take statements" in pages[f"{base}/"]
    assert f"{base}/xapi/" in pages[f"{base}/"]
    browsed = pages[f"{base}/xapi/browser"]
    assert "Forklift licence" in browsed
    assert "4712" in browsed
    assert len(pages) > 12
