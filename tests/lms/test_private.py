"""Files that nobody else on the machine may read: as they are made, and as they were found."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

from certificates import documents
from courses.catalogue.media import add_picture
from lms import doctor
from lms.app import create_app
from lms.db import db
from lms.jobs.queue import run_pending
from tests import databases
from tests.conftest import SECRET, settings_for
from tests.factories.people import make_person
from tests.xapi.test_delivery import record
from xapi.delivery.lock import only_one
from xapi.keeping import export
from xapi.keeping.choice import Choice

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def open_handed() -> Iterator[None]:
    """Begin with a umask that keeps nothing from anybody, and give back what was there."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_things(folder: Path) -> list[str]:
    """Return what others may read or change in a folder, itself included."""
    return sorted(
        f"{stat.S_IMODE(path.stat().st_mode):o} {path.relative_to(folder)}"
        for path in (folder, *folder.rglob("*"))
        if path.stat().st_mode & 0o077
    )


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(file, "PNG")
    return file.getvalue()


def fill(app: Flask) -> None:
    """Have every part write what it keeps in files."""
    make_person("Imani Okafor", email="imani@example.test")
    add_picture(png())
    documents.store(b"%PDF-1.7 a certificate")
    record(2)
    export.ask(Choice(), None)
    db.session.commit()
    run_pending()
    with only_one("export"):
        pass
    done = app.test_cli_runner().invoke(
        args=["people", "export", str(Path(app.config["LMS_INSTANCE"]) / "people.csv")]
    )
    assert done.exit_code == 0, done.output


def test_after_a_whole_flow_every_file_is_private(app: Flask) -> None:
    fill(app)
    instance = Path(app.config["LMS_INSTANCE"])
    folders = {path.name for path in instance.iterdir()}
    assert {"courses-media", "certificates", "xapi-exports", "people.csv"} <= folders
    if databases.KIND == "sqlite":
        assert {"ropes.sqlite3", "ropes.sqlite3-wal"} <= folders
    assert open_things(instance) == []
    assert dict(doctor.examine())["files"] is None


def test_what_an_earlier_version_left_open_is_closed_at_the_start(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    app = make_app()
    with app.app_context():
        fill(app)
        db.session.remove()
    (tmp_path / "people.csv").unlink()
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert len(open_things(tmp_path)) > 8
    with create_app(settings_for(tmp_path, app.config["SQLALCHEMY_DATABASE_URI"])).app_context():
        assert dict(doctor.examine())["files"] is None
        db.session.remove()
        db.engine.dispose()
    assert open_things(tmp_path) == []


def test_the_job_file_is_private(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    make_app(LMS_JOBS="sqlite").extensions["lms.jobs"].huey.put("a", "b")
    assert (tmp_path / "jobs.sqlite3").exists()
    assert open_things(tmp_path) == []


def test_a_folder_with_other_things_in_it_is_left_as_it_is(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """Somebody's home, or the system's own: only what is ours is closed."""
    script, folder = tmp_path / "script.sh", tmp_path / "site"
    folder.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    outside = tmp_path / "certificates"
    outside.symlink_to(folder)
    tmp_path.chmod(0o755)
    make_app()
    assert open_things(tmp_path) == ["755 .", "755 script.sh", "777 certificates", "777 site"]


def test_the_doctor_says_what_is_open(app: Flask) -> None:
    fill(app)
    instance = Path(app.config["LMS_INSTANCE"])
    kept = next((instance / "courses-media").rglob("*.*"))
    kept.chmod(0o644)
    words = dict(doctor.examine())["private files"]
    assert words is not None
    assert f"1 files and folders can be read by others on this machine, {kept}" in words
    assert f"chmod -R go= {instance}" in words


def test_a_command_makes_private_files_whatever_it_was_started_with(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    subprocess.run(
        [sys.executable, "-m", "lms.cli", "db", "upgrade"], check=True, capture_output=True,
        cwd=ROOT, umask=0,
        env={**os.environ, "LMS_SECRET_KEY": SECRET, "LMS_INSTANCE": str(instance)},
    )  # fmt: skip
    assert {path.name for path in instance.iterdir()} >= {"ropes.sqlite3", "upgrade.lock"}
    assert open_things(instance) == []
