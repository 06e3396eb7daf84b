"""What a lesson costs: CPU for a card and for an answer, and the bytes of a first view."""

from __future__ import annotations

import gzip
import itertools
import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from courses.blocks.content import get_content
from courses.paths.enrolment import enrol
from courses.progress.walk import take
from lms.db import db
from lms.people.models import new_uid
from tests.benchmarks.beside import beside_bare
from tests.benchmarks.harness import Place, Result, benchmark, cpu_ms
from tests.conftest import Browser
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_person

URL = "/courses/ask/why/which"


def browser(app: Flask, uniquifier: str) -> FlaskClient:
    """Return a browser in which somebody is signed in."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = uniquifier
        session["_fresh"] = True
        session["lms_key"] = new_uid()
    return client


def learner(place: Place, count: int = 1) -> tuple[Flask, list[tuple[FlaskClient, str]]]:
    """Return an app and browsers of people who stand at a question, each with its attempt."""
    app = place.make_app()
    app.test_client_class = Browser  # each request in a context of its own, as on a server
    course = make_course("ask")
    found = []
    for _ in range(count):
        person = make_person()
        attempt = take(person, course, 2)
        get_content(attempt.version_id)
        db.session.commit()
        assert person.identity is not None
        found.append((browser(app, person.identity.fs_uniquifier), attempt.registration))
    db.session.rollback()
    db.session.remove()
    return app, found


@benchmark("courses.lesson_page", unit="ms CPU", target_ratio=8.0)
def lesson_page(place: Place) -> Result:
    """One card with a question, signed in."""
    _app, [(client, _attempt)] = learner(place)
    assert "Option 1" in client.get(URL).text
    return beside_bare(lambda: client.get(URL), rounds=150)


@benchmark("courses.answer", unit="ms CPU", target_ratio=8.0)
def answer(place: Place) -> Result:
    """An answer with its statement, each by another person, the commit included."""
    times = 100
    _app, browsers = learner(place, times + 5)
    waiting = iter(browsers)

    def post() -> None:
        client, attempt = next(waiting)
        data = {"attempt": attempt, "act": "answer", "response": "1"}
        assert client.post(URL, data=data).status_code == 303

    raw = place.raw_sqlite()
    raw.execute("CREATE TABLE answer (id INTEGER PRIMARY KEY, said TEXT)")
    numbers = itertools.count()

    def insert() -> None:
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("INSERT INTO answer (said) VALUES (?)", (str(next(numbers)) * 300,))
        raw.execute("COMMIT")

    return beside_bare(
        post, rounds=times, **{"ms CPU of one row committed": cpu_ms(insert, times=200)}
    )


@benchmark("courses.path_page", unit="ms CPU", target_ratio=15.0)
def path_page(place: Place) -> Result:
    """A path of three courses, of which the person is in the second."""
    app = place.make_app()
    app.test_client_class = Browser
    courses = [make_course(f"step-{number}") for number in range(3)]
    path = make_path(*courses, slug="way")
    person = make_person()
    enrol(path, [person.id], tell=False)
    take(person, courses[0])
    take(person, courses[1], 2)
    db.session.commit()
    assert person.identity is not None
    client = browser(app, person.identity.fs_uniquifier)
    assert client.get("/courses/paths/way").status_code == 200
    return beside_bare(lambda: client.get("/courses/paths/way"), rounds=80)


class FirstView:
    """What a browser with an empty cache loads for a first lesson, in bytes over the wire."""

    def __init__(self, place: Place) -> None:
        _app, [(self._client, _attempt)] = learner(place)
        self.page = self._bytes_of(URL)  # brings its style sheet along, as the browser has none yet
        page = self._client.get(URL).text
        loaded = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
        scripts = {url for url in loaded if url.endswith(".js")}
        for url in list(scripts):
            body = self._client.get(url).text
            base = url.rsplit("/", 2)[0]
            scripts |= {f"{base}/{name}" for name in re.findall(r'from "\.\./([^"]+)"', body)}
        self.library = sum(self._bytes_of(url) for url in scripts if "/vendor/" in url)
        self.scripts = sum(map(self._bytes_of, scripts)) + self._bytes_of("/courses/worker.js")
        self.styles = sum(map(self._bytes_of, loaded - scripts))
        self.pack = self._bytes_of("/courses/pack/ask/why")
        self.files = len(scripts | loaded) + 3
        # What is to be read, without a tag: nobody can send less and show the same card.
        self.words = len(gzip.compress(re.sub(r"<[^>]+>|\s+", " ", page).encode()))

    def _bytes_of(self, url: str) -> int:
        answer: Any = self._client.get(url, headers={"Accept-Encoding": "br, zstd, gzip"})
        assert answer.status_code == 200, url
        return len(answer.get_data()) + len(str(answer.headers))

    @property
    def total(self) -> int:
        """Return all of it together."""
        return self.page + self.scripts + self.styles + self.pack


@benchmark("courses.first_view", unit="kB", target=80.0)
def first_view(place: Place) -> Result:
    """Bytes over the wire of a first lesson view: the page and all that it loads, compressed."""
    view = FirstView(place)
    return Result(
        value=view.total / 1000,
        floor=view.words / 1000,
        floor_is="the words on the page, compressed",
        notes={
            "page kB": view.page / 1000,
            "style kB": view.styles / 1000,
            "lesson for offline kB": view.pack / 1000,
            "files": view.files,
        },
    )


@benchmark("courses.javascript", unit="kB", target=25.0)
def javascript(place: Place) -> Result:
    """Bytes of all scripts of a first lesson view, the service worker with them, compressed."""
    view = FirstView(place)
    assert view.library > 0
    return Result(
        value=view.scripts / 1000,
        floor=view.library / 1000,
        floor_is="the one library among them (IndexedDB)",
    )
