"""What a lesson costs: CPU for a card and for an answer, and the bytes of a first view."""

from __future__ import annotations

import itertools
import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import Environment

from courses.blocks.content import get_content
from courses.progress.walk import take
from lms.db import db
from tests.benchmarks.harness import Place, Result, benchmark, cpu_ms
from tests.conftest import Browser
from tests.factories.courses import make_course
from tests.factories.people import make_person

URL = "/courses/ask/why/which"


def browser(app: Flask, uniquifier: str) -> FlaskClient:
    """Return a browser in which somebody is signed in."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = uniquifier
        session["_fresh"] = True
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


@benchmark("courses.lesson_page", unit="ms CPU", target=5.0)
def lesson_page(place: Place) -> Result:
    """One card with a question, signed in, beside a Jinja page of thirty rows."""
    _app, [(client, _attempt)] = learner(place)
    assert "Option 1" in client.get(URL).text
    rows = Environment(autoescape=True).from_string(
        "<ul>{% for n in range(30) %}<li>{{ n }}</li>{% endfor %}</ul>"
    )
    return Result(
        value=cpu_ms(lambda: client.get(URL), times=200),
        floor=cpu_ms(rows.render, times=200),
        floor_is="rendering thirty rows with Jinja",
    )


@benchmark("courses.answer", unit="ms CPU", target=5.0)
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

    return Result(
        value=cpu_ms(post, times=times),
        floor=cpu_ms(insert, times=200),
        floor_is="one row of 300 characters or more, committed in the same mode",
    )


@benchmark("courses.first_view", unit="kB", target=80.0)
def first_view(place: Place) -> Result:
    """Bytes over the wire of a first lesson view: the page and all that it loads, compressed."""
    _app, [(client, _attempt)] = learner(place)
    wanted = {"Accept-Encoding": "br, zstd, gzip"}

    def bytes_of(url: str) -> int:
        answer: Any = client.get(url, headers=wanted)
        assert answer.status_code == 200, url
        return len(answer.get_data()) + len(str(answer.headers))

    first = bytes_of(URL)  # brings its style sheet along, since this browser has none yet
    page = client.get(URL).text
    loaded = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    scripts = {url for url in loaded if url.endswith(".js")}
    for url in list(scripts):
        body = client.get(url).text
        base = url.rsplit("/", 2)[0]
        scripts |= {f"{base}/{name}" for name in re.findall(r'from "\.\./([^"]+)"', body)}
    script_bytes = sum(map(bytes_of, scripts)) + bytes_of("/courses/worker.js")
    styles = sum(map(bytes_of, loaded - scripts))
    pack = bytes_of("/courses/pack/ask/why")
    total = first + script_bytes + styles + pack
    return Result(
        value=total / 1000,
        notes={
            "page kB": first / 1000,
            "JavaScript kB (25)": script_bytes / 1000,
            "style kB": styles / 1000,
            "lesson for offline kB": pack / 1000,
            "files": len(scripts | loaded) + 3,
        },
    )
