"""A stranger's package, installed beside the product, adds what the contract promises.

It is built and installed by pip into a folder of its own, without the network, and the product
runs with it in a process of its own: nothing of it is known to the source of the suite.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SECRET

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tests" / "example_plugin"

JOURNEY = """
import re

from sqlalchemy import inspect

from courses.catalogue.document import Card, Document, Lesson
from courses.exchange.course_text import Bundle, format_course, parse_course
from lms import migrate
from lms.app import create_app
from lms.db import db
from lms.evidence import Filter, Window, get_measure
from lms.events import PersonErased, publish
from lms.jobs.queue import run_pending
from tests.conftest import Browser
from tests.factories.courses import make_course
from tests.factories.people import make_person

app = create_app({"TESTING": True, "WTF_CSRF_ENABLED": False})
app.test_client_class = Browser


def enter(person):
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = person.identity.fs_uniquifier
        session["_fresh"] = True
    return browser


with app.app_context():
    # Its table, by its own branch of migrations.
    migrate.upgrade()
    assert migrate.pending() == []
    assert inspect(db.engine).has_table("rounds_round")
    boss = make_person("Greta Halden")
    imani, jonas = make_person("Imani Okafor", boss), make_person("Jonas Brandt", boss)
    ids = {"imani": imani.id, "jonas": jonas.id}
    browser = enter(imani)

    # Its page, in the navigation, with its own style sheet, and its card on the first page.
    assert app.test_client().get("/rounds").status_code == 302
    first = browser.get("/").text
    assert "A round is waiting" in first and 'href="/rounds"' in first
    page = browser.get("/rounds").text
    style = page.split('rel="stylesheet" href="')[-1].split('"')[0]
    assert style.endswith("/rounds/rounds.css") and browser.get(style).status_code == 200
    assert browser.post("/rounds", data={"seen": " "}).status_code == 422
    assert browser.post("/rounds", data={"seen": "A <b>blocked</b> door"}).status_code == 302
    assert "A &lt;b&gt;blocked&lt;/b&gt; door" in browser.get("/rounds").text
    assert "A round is waiting" not in browser.get("/").text

    # Its column on the manager's page; the worker asks it about everybody.
    run_pending()
    team = enter(boss).get("/team").text
    assert "Safety round" in team and "not started" in team and "done" in team
    assert "1 of 2" in team

    # Its measure: what a certificate's rule or a mission asks for.
    found = db.session.execute(get_measure("rounds.walked").values(Window(), Filter())).all()
    assert [tuple(row) for row in found] == [(ids["imani"], 1)]
    with app.test_request_context():
        assert get_measure("rounds.walked").missing(ids["jonas"], Window(), Filter(), 2).have == 0

    # Its card type: in a course, in the player, answered, counted.
    card = Card("vow", "pledge", "Your promise", {"text": "I *look* before I drive."})
    lesson = Lesson("one", "One", 2, (card,))
    document = Document("Looking", "Look first.", lessons=(lesson,))
    make_course("looking", document)
    address = browser.post("/courses/looking/start").headers["Location"]
    page = browser.get(address).text
    assert "I promise" in page and "<em>look</em>" in page
    attempt = re.findall(r'name="attempt" value="([^"]+)"', page)[0]
    answer = {"attempt": attempt, "act": "answer", "response": "yes"}
    assert browser.post(address, data=answer).status_code == 303
    assert "You promised." in browser.get(address).text
    files = format_course(Bundle(document, {}))
    assert b"```pledge" in b"".join(files.values())
    assert parse_course(files).document == document

    # What it holds about a person, and forgets.
    publish(PersonErased(ids["imani"]))
    db.session.commit()
    found = db.session.execute(get_measure("rounds.walked").values(Window(), Filter())).all()
    assert found == []
print("the stranger is at home")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, installed into a folder."""
    folder = tmp_path_factory.mktemp("stranger")
    source = folder / "source"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--no-warn-script-location", "--disable-pip-version-check"),
            *("--root-user-action=ignore", "--target", str(folder / "site"), str(source)),
        ],
        check=True,
        capture_output=True,
    )
    return folder


def run(installed: Path, script: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a script with the product and the stranger's package, over a fresh instance folder."""
    instance = installed / f"instance-{len(list(installed.iterdir()))}"
    return subprocess.run(
        [sys.executable, "-c", script],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("LMS_")},
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(installed / "site"))),
            "LMS_SECRET_KEY": SECRET,
            "LMS_INSTANCE": str(instance),
            "LMS_JOBS": "manual",
            "LMS_BASE_URL": "http://localhost",
            **more,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_strangers_package_is_at_home(installed: Path) -> None:
    done = run(installed, JOURNEY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the stranger is at home" in done.stdout


def test_it_can_be_switched_off(installed: Path) -> None:
    script = """
from lms.app import create_app
app = create_app()
assert "rounds" not in [part.name for part in app.extensions["lms.plugins"]]
assert "rounds.mine" not in app.view_functions
"""
    done = run(installed, script, LMS_PLUGINS="xapi,courses")
    assert done.returncode == 0, done.stderr


def test_its_setting_is_read_from_the_environment(installed: Path) -> None:
    script = """
from lms.app import create_app
app = create_app()
with app.app_context():
    from rounds.evidence import columns
    assert columns() == []
"""
    done = run(installed, script, LMS_ROUNDS_A_MONTH="0")
    assert done.returncode == 0, done.stderr
    refused = run(installed, script, LMS_ROUNDS_A_MONTH="many")
    assert refused.returncode != 0
    assert "LMS_ROUNDS_A_MONTH cannot be read" in refused.stderr
