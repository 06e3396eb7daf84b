"""Record stores that an administrator adds: in the browser, on the command line, and in the rows."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.app import create_app
from lms.audit import AuditEntry
from lms.db import db
from lms.errors import Invalid
from lms.jobs.queue import queue as jobs
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.conftest import settings_for
from tests.factories.people import make_person
from tests.xapi.lrs import Provider
from tests.xapi.test_delivery import count, record
from tests.xapi.test_remote import Lrs, answer, lrs  # noqa: F401 - a fixture
from xapi.lrs.models import LrsCredential
from xapi.outbox import stores
from xapi.outbox.models import Parked, Pending, Store, TargetState
from xapi.sealed import unseal
from xapi.targets import DELIVER, SEND, names, targets

FORM = {
    "label": "Learning archive",
    "endpoint": "https://lrs.example.test/xapi",
    "key": "ropes",
    "secret": "sesame-open",
    "version": "1.0.3",
    "what": "recorded",
    "but_not": "",
}
ABOUT = b'{"version": ["1.0.3", "1.0.0"]}'


@pytest.fixture
def browser(app: Flask, sign_in: Callable[[Person], FlaskClient]) -> FlaskClient:
    return sign_in(make_person("Jonas Brandt", is_administrator=True))


def add(endpoint: str = "https://lrs.example.test/xapi/") -> Store:
    made = stores.add("Archive", endpoint, "k", "s", "1.0.3")
    db.session.commit()
    return made


def test_it_is_added_on_a_page_of_its_own(app: Flask, browser: FlaskClient) -> None:
    assert "Add a record store" in browser.get("/xapi/delivery").text
    answered = browser.post("/xapi/delivery/new", data=FORM)
    assert answered.location == "/xapi/delivery/learning-archive"
    page = browser.get(answered.location).text
    assert "https://lrs.example.test/xapi/" in page
    assert "sesame-open" not in page
    assert "What was recorded before" in page  # offered: send everything since
    found = stores.get("learning-archive")
    assert unseal(found.secret) == "sesame-open"
    assert b"sesame-open" not in found.secret
    acts = db.session.scalars(select(AuditEntry.act)).all()
    assert "xapi.store.added" in acts
    assert "sesame" not in str([one.details for one in db.session.scalars(select(AuditEntry))])


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("label", "", "Give it a name"),
        ("endpoint", "lrs.example.test", "like https://example.com"),
        ("endpoint", "http://lrs.example.test/xapi/", "Write https"),
        ("endpoint", "https://me:secret@lrs.example.test/", "Leave key and secret out"),
        ("endpoint", "https://169.254.169.254/latest/", "no server of yours"),
        ("key", "", "Write the key"),
        ("secret", "", "Write the secret"),
        ("version", "0.95", "Choose one"),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    app: Flask, browser: FlaskClient, field: str, value: str, words: str
) -> None:
    answered = browser.post("/xapi/delivery/new", data={**FORM, field: value})
    assert answered.status_code == 422
    error = answered.text.partition(f'id="{field}-error">')[2].partition("</p>")[0]
    assert words in error
    assert count(Store) == 0


def test_it_gets_what_is_recorded_from_now_on_in_every_process(
    app: Flask, tmp_path: object
) -> None:
    record(2)
    other = create_app({**settings_for(app.config["LMS_INSTANCE"]), **_same_database(app)})
    with other.app_context():
        assert names() == ["embedded"]
        db.session.rollback()
    add()
    with other.app_context():  # started before, and never told
        assert names() == ["embedded", "archive"]
        assert set(targets()) == {"embedded", "archive"}
        record(3)
        stores.pause(stores.get("archive"), True)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    assert count(Pending, Pending.target == "archive") == 3
    assert set(targets()) == {"embedded"}
    record(1)  # waits, though it is paused
    assert count(Pending, Pending.target == "archive") == 4


def _same_database(app: Flask) -> dict[str, object]:
    return {"LMS_DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"]}


def test_a_removed_one_leaves_no_row_and_its_name_is_free_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "SWEPT_ROWS", 2)
    gone, stays = add(), add()
    assert (gone.name, stays.name) == ("archive", "archive-2")
    record(5)
    stores.remove(stores.get("archive"))
    db.session.commit()
    assert names() == ["embedded", "archive-2"]
    jobs().wake(DELIVER)
    monkeypatch.setattr("xapi.delivery.run.send", lambda: None)
    jobs().woken.pop(SEND, None)
    stores.sweep_removed()
    assert count(Pending, Pending.target == "archive") == 0
    assert count(Pending, Pending.target == "archive-2") == 5
    assert count(TargetState, TargetState.target == "archive") == 0
    assert db.session.scalars(select(Store.name)).all() == ["archive-2"]
    assert add().name == "archive"


def test_a_secret_follows_no_changed_address(app: Flask) -> None:
    made = add()
    told = {"label": "A", "key": "k", "version": "2.0.0", "everything": False, "but_not": ""}
    with pytest.raises(Invalid) as refused:
        stores.change(made, endpoint="https://elsewhere.example.test/", secret="", **told)
    assert refused.value.field == "secret"
    stores.change(made, endpoint="https://lrs.example.test/xapi/", secret="", **told)
    assert unseal(made.secret) == "s"
    assert made.version == "2.0.0"
    stores.change(made, endpoint="https://elsewhere.example.test/", secret="new", **told)
    assert unseal(made.secret) == "new"


def test_a_secret_that_cannot_be_read_any_more_is_said_and_loses_nothing(app: Flask) -> None:
    made = add()
    made.secret = b"sealed with another key"
    db.session.commit()
    record(2)
    run_pending()
    state = db.session.get(TargetState, "archive")
    assert state is not None
    assert "LMS_SECRET_KEY has changed" in state.words
    assert count(Pending, Pending.target == "archive") == 2
    assert count(Parked) == 0


def test_an_address_is_kept_with_a_slash_at_its_end(app: Flask) -> None:
    for text in ("https://lrs.example.test/data/xAPI", " https://lrs.example.test/data/xAPI/ "):
        assert stores.read_endpoint(text) == "https://lrs.example.test/data/xAPI/"


@pytest.fixture
def stored(app: Flask, lrs: Lrs) -> Store:  # noqa: F811
    return add(f"http://127.0.0.1:{lrs.server_port}/xapi/")


def as_lrs(about: object, statements: object) -> Callable[..., None]:
    def act(handler: object) -> None:
        chosen = about if "about" in handler.path else statements  # type: ignore[attr-defined]
        chosen(handler)  # type: ignore[operator]

    return act


@pytest.mark.network
@pytest.mark.parametrize(
    ("about", "statements", "words"),
    [
        (answer(200, ABOUT), answer(200, b'{"statements": [], "more": ""}'), "All is well"),
        (answer(401), answer(200, b'{"statements": []}'), "All is well"),
        (answer(200, ABOUT), answer(403), "may not read"),
        (answer(200, ABOUT), answer(401, b"who?"), "does not know this key"),
        (answer(200, ABOUT), answer(200, b"<html>"), "does not let statements be asked for"),
        (answer(200, b'{"version": ["2.0.0"]}'), answer(200), "but 2.0.0"),
        (answer(200, b"<html>Sign in</html>"), answer(200), "is no record store"),
        (answer(404), answer(404), "is no record store"),
        (answer(302, Location="https://new.example.test/"), answer(200), "new.example.test"),
        (answer(503), answer(200), "cannot at the moment"),
    ],
)
def test_it_is_tried(
    app: Flask,
    browser: FlaskClient,
    lrs: Lrs,  # noqa: F811
    stored: Store,
    about: object,
    statements: object,
    words: str,
) -> None:
    lrs.act = as_lrs(about, statements)
    page = browser.post(f"/xapi/delivery/{stored.name}/test", follow_redirects=True).text
    assert words in page
    assert "who?" not in page  # what it says is not read out


@pytest.mark.network
def test_nobody_there_is_said(app: Flask, browser: FlaskClient) -> None:
    add("http://127.0.0.1:9/xapi/")
    page = browser.post("/xapi/delivery/archive/test", follow_redirects=True).text
    assert "It cannot be reached" in page


@pytest.mark.network
def test_statements_arrive_and_it_is_paused_and_resumed(
    app: Flask,
    browser: FlaskClient,
    lrs: Lrs,  # noqa: F811
    stored: Store,
) -> None:
    def take(handler: object) -> None:
        ids = [one["id"] for one in orjson.loads(lrs.asked[-1][3])]
        answer(200, orjson.dumps(ids))(handler)  # type: ignore[arg-type]

    lrs.act = take
    record(3)
    run_pending()
    assert count(Pending) == 0
    browser.post("/xapi/delivery/archive/pause", data={"paused": "yes"})
    assert "It is paused" in browser.get("/xapi/delivery").text
    record(2)
    run_pending()
    assert count(Pending) == 2
    browser.post("/xapi/delivery/archive/pause")
    run_pending()
    assert count(Pending) == 0
    assert lrs.connections == 1  # kept open all the while
    targets()["archive"].lrs.close()  # type: ignore[attr-defined]


def test_change_and_remove_in_the_browser(app: Flask, browser: FlaskClient) -> None:
    add()
    Provider(app)
    uid = db.session.scalar(select(LrsCredential.uid))
    page = browser.get("/xapi/delivery/archive/change").text
    assert 'value="k"' in page
    changed = {**FORM, "endpoint": "https://lrs.example.test/xapi/", "secret": ""}
    answered = browser.post(
        "/xapi/delivery/archive/change", data={**changed, "what": "everything", "but_not": uid}
    )
    assert answered.status_code == 302, answered.text
    found = db.session.scalar(select(Store).execution_options(populate_existing=True))
    assert found is not None
    assert (found.everything, found.but_not, unseal(found.secret)) == (True, uid, "s")
    answered = browser.post("/xapi/delivery/archive/remove", follow_redirects=True)
    assert "tick the box" in answered.text
    answered = browser.post("/xapi/delivery/archive/remove", data={"sure": "y"})
    assert answered.location == "/xapi/delivery"
    assert browser.get("/xapi/delivery/archive").status_code == 404
    assert browser.get("/xapi/delivery/embedded/change").status_code == 404


def test_progress_is_shown_without_a_script_and_stopped(app: Flask, browser: FlaskClient) -> None:
    record(4)
    run_pending()
    add()
    answered = browser.post("/xapi/delivery/archive/since", data={"since": ""})
    page = browser.get(answered.location).text
    assert "0 of 4 statements" in page
    assert 'http-equiv="refresh"' in page
    page = browser.post("/xapi/delivery/archive/stop", follow_redirects=True).text
    assert "Stopped at 0 of 4 statements" in page
    assert 'http-equiv="refresh"' not in page


def test_the_command_line(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    db.session.commit()
    made = run(
        args=["lrs", "target", "add", "Archive", "https://lrs.example.test/", "--key", "k"],
        input="hidden\n",
    )
    assert made.exit_code == 0, made.output
    assert "hidden" not in made.output
    assert "archive  Archive  https://lrs.example.test/  on  0 waiting" in (
        run(args=["lrs", "target", "list"]).output
    )
    record(2)
    for act, state in (("pause", "paused"), ("resume", "on")):
        assert run(args=["lrs", "target", act, "archive"]).exit_code == 0
        assert f"/  {state}  2 waiting" in run(args=["lrs", "target", "list"]).output
    sent = run(args=["lrs", "target", "send", "archive", "--since", "2020-01-01"])
    assert "2 statements are on their way" in sent.output
    assert run(args=["lrs", "target", "send", "archive", "--stop"]).exit_code == 0
    assert run(args=["lrs", "target", "remove", "archive"]).exit_code == 0
    assert run(args=["lrs", "target", "list"]).output.startswith("embedded")
    assert run(args=["lrs", "target", "pause", "archive"]).exit_code != 0
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Store)) == 1  # until it is swept


def test_it_is_changed_on_the_command_line(app: Flask) -> None:
    add()
    run = app.test_cli_runner().invoke
    before = stores.get("archive")
    kept = (before.endpoint, before.key, before.secret)
    db.session.rollback()
    change = ["lrs", "target", "change", "archive"]
    assert run(args=[*change, "--label", "Old archive", "--version", "2.0.0"]).exit_code == 0
    found = stores.get("archive")
    assert (found.label, found.version) == ("Old archive", "2.0.0")
    assert (found.endpoint, found.key, found.secret) == kept
    db.session.rollback()
    moved = [*change, "--endpoint", "https://elsewhere.example.test/xapi/", "--everything"]
    assert run(args=moved).exit_code == 1  # no secret was typed
    assert run(args=moved, input="new secret\n").exit_code == 0
    found = stores.get("archive")
    assert found.endpoint == "https://elsewhere.example.test/xapi/"
    assert found.everything
    assert unseal(found.secret) == "new secret"
    db.session.rollback()
    assert run(args=["lrs", "target", "change", "nobody", "--label", "x"]).exit_code != 0
