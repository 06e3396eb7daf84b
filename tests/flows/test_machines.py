"""Several machines over one database: which files they must share, and who says when they do not."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from certificates import documents
from courses.catalogue.media import add_picture, check_pictures
from lms.db import db
from lms.jobs import shared_folder, worker
from lms.jobs.shared_folder import check_files
from lms.people.models import Person
from tests.factories.people import make_person
from xapi.keeping import files as exports

MachineOf = Callable[[Path, Path | None], Flask]


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (20, 10), "teal").save(made, "PNG")
    return made.getvalue()


@pytest.fixture
def machines(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MachineOf:
    """A function that returns the app of another machine over the same database."""
    from lms.app import create_app
    from tests.conftest import Browser, settings_for

    def make(own: Path, shared: Path | None) -> Flask:
        address = app.config["SQLALCHEMY_DATABASE_URI"]
        more = {"LMS_FILES": shared} if shared else {}
        made = create_app(settings_for(own, address, **more))
        made.test_client_class = Browser
        return made

    return make


def lives(app: Flask, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a worker of this machine show itself."""
    monkeypatch.setattr(worker.socket, "gethostname", lambda: host)
    with app.app_context():
        worker.beat()
        db.session.remove()


def said(app: Flask) -> str | None:
    with app.app_context():
        try:
            return check_files()
        finally:
            db.session.remove()
            db.engine.dispose()


def seen(app: Flask, person: Person, address: str) -> int:
    assert person.identity is not None
    browser: FlaskClient = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = person.identity.fs_uniquifier
        session["lms_key"] = "k" * 32
    return browser.get(address).status_code


def test_machines_with_folders_of_their_own_say_what_is_not_shared(
    app: Flask, machines: MachineOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person("Imani Okafor")
    kept = add_picture(picture())
    address = f"/courses/media/{kept.sha256}.{kept.extension}"
    db.session.commit()
    second = machines(tmp_path / "second", None)
    lives(app, "harbour", monkeypatch)
    assert said(app) is None
    lives(second, "quay", monkeypatch)
    assert "The worker on quay does not keep its files" in (said(app) or "")
    assert "The worker on harbour does not keep its files" in (said(second) or "")
    assert seen(app, person, address) == 200
    assert seen(second, person, address) == 404
    with second.app_context():
        assert "1 of 1 pictures are not in" in (check_pictures() or "")
        db.session.remove()
        db.engine.dispose()


def test_machines_with_one_folder_for_files_share_all_of_them(
    app: Flask, machines: MachineOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    first, second = (machines(tmp_path / name, shared) for name in ("first", "second"))
    person = make_person("Imani Okafor")
    db.session.commit()
    with first.app_context():
        kept = add_picture(picture())
        address = f"/courses/media/{kept.sha256}.{kept.extension}"
        paper = documents.store(b"%PDF-1.7")
        export = exports.path_of("some-export", "statements", False)
        exports.append(export, 0, [b"{}"])
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    for host, machine in (("harbour", first), ("quay", second)):
        lives(machine, host, monkeypatch)
    assert said(first) is None
    assert said(second) is None
    assert seen(second, person, address) == 200
    with second.app_context():
        assert documents.path_of(paper).read_bytes() == b"%PDF-1.7"
        assert exports.path_of("some-export", "statements", False).read_bytes() == b"{}\n"
        assert check_pictures() is None
        db.session.remove()
        db.engine.dispose()


def test_a_copied_folder_is_found_out_when_its_marks_grow_old(
    app: Flask, machines: MachineOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives(app, "harbour", monkeypatch)
    mark = shared_folder.read_mark(worker.own_name())
    assert mark is not None
    second = machines(tmp_path / "second", None)
    copied = tmp_path / "second" / "workers"
    copied.mkdir()
    (copied / worker.own_name()).write_text(mark.replace(year=mark.year - 1).isoformat())
    assert "harbour" in (said(second) or "")


# What lies in a machine's own folder, and why other machines can do without it.
OF_ONE_MACHINE = {
    "lms/app.py": "SQLite, which is for one machine; LMS_FILES lies here where it is not set",
    "lms/cli.py": "sentences about a full disk",
    "lms/config.py": "the setting",
    "lms/demo/build.py": "the demo, which has a company of its own",
    "lms/demo/command.py": "the demo",
    "lms/demo/wsgi.py": "the demo",
    "lms/doctor.py": "how full the disk is",
    "lms/jobs/queue.py": "wake-ups; on several machines they wait in Redis",
    "lms/web/writable.py": "looks whether there is room, in whichever folder files go to",
    "lms/migrate.py": "a lock, with SQLite alone",
    "xapi/delivery/lock.py": "locks, with SQLite alone",
}


@pytest.mark.house
def test_what_lies_in_a_machine_s_own_folder_is_known() -> None:
    root = Path(__file__).parents[2]
    found = {
        path.relative_to(root).as_posix()
        for package in ("lms", "xapi", "courses", "esn", "certificates")
        for path in (root / package).rglob("*.py")
        if re.search(r"LMS_INSTANCE", path.read_text())
    }
    assert found - set(OF_ONE_MACHINE) == set(), "should these be in LMS_FILES?"
