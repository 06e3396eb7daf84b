"""Every page there is, generated from the URL map: axe, width, targets, headings, and a quiet console.

Each GET route is opened at its sample address (`tests/contract/samples_*.py`) by somebody who may
see it, in a house that is full (`company.furnish`) and, where the address needs nothing, in one that
is empty; what is open to everybody is opened signed out as well. A route with no sample, or one
that never shows a page and is not named in `NOT_PAGES`, fails by name: no page can be forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from flask_babel import force_locale, gettext
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError
from werkzeug.routing import Rule

from lms.people.access import Who, declaration_of
from tests.browser import large_text
from tests.browser.company import Company, Scene, furnish, furnish_nothing, pages_of
from tests.browser.conftest import DESK, PHONE, Live, screenshot, serving
from tests.browser.inspection import Watch, inspect
from tests.conftest import apps_over

pytestmark = pytest.mark.browser

# What answers with something other than a page.
NOT_PAGES = frozenset(
    {
        "certificates.paper",  # a PDF
        "courses.lesson",  # leads on to the card where one is
        "courses.pack",  # the rest: files, pictures, scripts, JSON
        "courses.picture",
        "courses.state",
        "courses.worker",
        "courses_exchange.export_file",
        "esn_intake.push",
        "people.held_export",
        "people_admin.export",
        "people_links.qr",
        "teams.export",
        "web.change_password",  # leads on
        "web.healthz",
        "web.security_txt",
        "xapi.attachment",
        "xapi.download_export",
        "xapi.statement_json",
        "xapi_lrs.about",
        "xapi_lrs.activities",
        "xapi_lrs.activity_profile",
        "xapi_lrs.agent_profile",
        "xapi_lrs.agents",
        "xapi_lrs.described",  # OpenAPI
        "xapi_lrs.more",
        "xapi_lrs.state",
        "xapi_lrs.statements",
        "xapi_profile.newest",  # JSON-LD
        "xapi_profile.one",
    }
)
GONE = {"people.by_link": 410}  # a link that nobody sent: the page says so
LANGUAGES = {"ar": "rtl", "de": "ltr"}
LARGE = [((390, 844), 175), ((320, 640), 200)]
MOST_USED = ("web", "courses", "certificates", "certificates_verify", "teams", "notices", "people")
ROLES = (
    ({Who.AUTHOR}, "author"),
    ({Who.MANAGER, Who.ABOVE}, "manager"),
    ({Who.ADMINISTRATOR}, "administrator"),
    ({Who.SIGNED_IN, Who.SELF, Who.PUBLIC, Who.MACHINE}, "learner"),
)


def house(
    furnishing: Callable[[Live], Company],
    migrated: Callable[[Path], str],
    folders: pytest.TempPathFactory,
    **settings: str,
) -> Iterator[Company]:
    """Serve a house that stands as long as this module."""
    with (
        apps_over(migrated, folders.mktemp("house")) as make,
        serving(partial(make, **settings)) as live,
    ):
        yield furnishing(live)


@pytest.fixture(scope="module")
def full(
    migrated: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Company]:
    """A house with something on every page."""
    yield from house(furnish, migrated, tmp_path_factory, LMS_MAIL_SERVER="mail.example.test")


@pytest.fixture(scope="module")
def bare(
    migrated: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Company]:
    """A house with one person and nothing else."""
    yield from house(furnish_nothing, migrated, tmp_path_factory)


def pages(company: Company) -> Iterator[Scene]:
    """Yield every route at its sample address, as whoever may open it, and signed out."""
    for rule in pages_of(company.live.app):
        if rule.endpoint in NOT_PAGES or rule.rule not in company.addresses:
            continue  # one without a sample is complained of as never shown
        declared = declaration_of(company.live.app.view_functions[rule.endpoint])
        assert declared is not None
        who = next(name for whos, name in ROLES if whos & declared.who)
        path = company.addresses[rule.rule]
        status = GONE.get(rule.endpoint, 200)
        yield Scene(rule.endpoint, rule.rule, who, path, status)
        if Who.PUBLIC in declared.who:
            yield Scene(rule.endpoint, f"{rule.rule}, signed out", "", path, status)


def empty_pages(company: Company) -> list[Scene]:
    """Return every route whose address needs nothing, in a house where there is nothing."""
    return [
        Scene(rule.endpoint, f"{rule.rule}, empty", "learner", rule.rule)
        for rule in pages_of(company.live.app)
        if not rule.arguments and rule.endpoint not in NOT_PAGES
    ]


class Visit:
    """Windows of one size, one for each person, and what was found on the pages they opened."""

    def __init__(self, chromium: Browser, company: Company, size: tuple[int, int]) -> None:
        self.chromium, self.company, self.size = chromium, company, size
        self.windows: dict[str, tuple[Page, Watch]] = {}
        self.found: list[str] = []
        self.shown: set[str] = set()

    def window(self, who: str, locale: str) -> tuple[Page, Watch]:
        """Return the window in which `who` is signed in ("": nobody)."""
        if who not in self.windows:
            phone = self.size[0] < 600
            context = self.chromium.new_context(
                viewport={"width": self.size[0], "height": self.size[1]},
                locale=locale,
                has_touch=phone,
                is_mobile=phone,
                reduced_motion="reduce",
            )
            if who:
                context.add_cookies([self.company.cookies[who]])
            context.set_default_timeout(10_000)
            page = context.new_page()
            self.windows[who] = page, Watch(page)
        return self.windows[who]

    def close(self) -> None:
        """Close the windows."""
        for page, _watch in self.windows.values():
            page.context.close()

    def look(
        self,
        every: Iterable[Scene],
        themes: tuple[str, ...] = ("light",),
        locale: str = "en-GB",
        direction: str = "ltr",
    ) -> None:
        """Open each page once, and look at it in each theme."""
        for scene in every:
            page, watch = self.window(scene.who, locale)
            watch.take()
            try:
                wrong = self._open(page, scene)
            except PlaywrightError as error:
                wrong = [str(error).partition("\n")[0]]
            if wrong is None:
                if page.locator("html").get_attribute("dir") != direction:
                    watch.heard.append(f"it is not written {direction}")
                for theme in themes:
                    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                    name = f"{scene.endpoint}-{scene.state}-{self.size[0]}-{theme}-{locale}"
                    screenshot(page, re.sub(r"[^\w.-]+", "_", name))
                    self._note(scene, theme, inspect(page))
                self.shown.add(scene.endpoint)
                wrong = []
            self._note(scene, "", wrong + watch.take())

    def _open(self, page: Page, scene: Scene) -> list[str] | None:
        """Go there; return None where a page is seen, otherwise what came instead."""
        base = self.company.live.base
        if scene.prepare is not None:
            scene.prepare(page, base)
            return None
        answer = page.goto(base + scene.path)
        assert answer is not None
        kind = (answer.header_value("content-type") or "").partition(";")[0]
        if kind != "text/html":
            return [f"answers with {kind}: name it in NOT_PAGES, or show a page"]
        if answer.status != scene.status:
            return [f"status {answer.status}, not {scene.status}"]
        if answer.request.redirected_from is not None:
            return []  # `missing` finds the route that shows no page to anybody
        return None

    def missing(self, every: Iterable[Rule]) -> set[str]:
        """Return the routes that have shown nobody a page, those that have none left out."""
        return {rule.endpoint for rule in every} - NOT_PAGES - self.shown

    def note_missing(self, every: Iterable[Rule]) -> None:
        """Complain of each route that has shown no page."""
        self.found += [f"{one} shows nobody a page" for one in sorted(self.missing(every))]

    def _note(self, scene: Scene, theme: str, problems: list[str]) -> None:
        where = (
            f"{scene.endpoint} ({scene.state}) {self.size[0]} {theme} as {scene.who or 'nobody'}"
        )
        self.found += [f"{where}: {problem}" for problem in problems]


@contextmanager
def visiting(chromium: Browser, company: Company, size: tuple[int, int]) -> Iterator[Visit]:
    """Open windows, close them at the end, and fail with all that was found."""
    visit = Visit(chromium, company, size)
    try:
        yield visit
    finally:
        visit.close()
    assert not visit.found, "\n".join(visit.found)


@contextmanager
def speaking(company: Company, language: str) -> Iterator[None]:
    """Have everybody read in this language, and in English again afterwards."""
    with company.live.app.test_request_context(), force_locale(language):
        compiled = gettext("Settings") != "Settings"
    assert compiled, (
        "the translations are not compiled: every make target does it, `make check` too"
    )
    company.speak(language)
    try:
        yield
    finally:
        company.speak("en")


def test_no_page_is_forgotten(full: Company) -> None:
    assert not full.lacking, "\n".join(full.lacking)
    assert {rule.endpoint for rule in pages_of(full.live.app)} >= NOT_PAGES


def test_every_page_on_the_phone(chromium: Browser, full: Company) -> None:
    with visiting(chromium, full, PHONE) as visit:
        visit.look(pages(full))
        unseen = visit.missing(pages_of(full.live.app))
        visit.look(one for one in full.scenes if one.endpoint in unseen)
        visit.note_missing(pages_of(full.live.app))


@pytest.mark.parametrize(("size", "percent"), LARGE)
def test_large_letters_cut_nothing_off(
    chromium: Browser, full: Company, size: tuple[int, int], percent: int
) -> None:
    """The menu is there, the foot leaves room to read, and nothing scrolls sideways."""
    with visiting(chromium, full, size) as visit:
        for scene in pages(full):
            if scene.endpoint.partition(".")[0] not in MOST_USED or not scene.who:
                continue
            if scene.who not in visit.windows:
                large_text.enlarge(visit.window(scene.who, "en-GB")[0], percent)
            page, _watch = visit.window(scene.who, "en-GB")
            page.goto(full.live.base + scene.path)
            screenshot(page, f"large-{scene.endpoint}-{size[0]}-{percent}")
            visit.found += [f"{scene.endpoint}: {problem}" for problem in large_text.look(page)]


@pytest.mark.long
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_in_every_state(chromium: Browser, full: Company, size: tuple[int, int]) -> None:
    with visiting(chromium, full, size) as visit:
        visit.look([*pages(full), *full.scenes], ("light", "dark"))
        visit.note_missing(pages_of(full.live.app))


@pytest.mark.long
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_with_nothing_on_it(
    chromium: Browser, bare: Company, size: tuple[int, int]
) -> None:
    with visiting(chromium, bare, size) as visit:
        visit.look(empty_pages(bare), ("light", "dark"))


@pytest.mark.long
def test_the_widest_menu_in_the_widest_language(chromium: Browser, full: Company) -> None:
    """German words, every place there is: at the desk no menu wraps."""
    with visiting(chromium, full, DESK) as visit, speaking(full, "de"):
        wide = [one for one in full.scenes if one.who == "everything"]
        visit.look(wide, locale="de")


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_that_most_people_use_in_another_language(
    chromium: Browser, full: Company, language: str
) -> None:
    with visiting(chromium, full, PHONE) as visit, speaking(full, language):
        visit.look(
            [one for one in pages(full) if one.endpoint.partition(".")[0] in MOST_USED],
            locale=language,
            direction=LANGUAGES[language],
        )
