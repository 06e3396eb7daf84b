"""The `ropes` command: one clear sentence where it cannot, words where something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask

from lms import doctor
from lms.app import create_app
from lms.cli import main
from lms.db import db, transaction
from lms.jobs.worker import beat
from tests import databases
from tests.conftest import SECRET


@pytest.fixture
def ropes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `ropes` in an installation of its own, on SQLite, with these settings more."""

    def run(*arguments: str, **settings: str) -> Result:
        values = {"LMS_SECRET_KEY": SECRET, "LMS_INSTANCE": str(tmp_path), "LMS_DATABASE_URL": ""}
        for name, value in {**values, **settings}.items():
            monkeypatch.setenv(name, value)
        if "LMS_BASE_URL" not in settings:
            monkeypatch.delenv("LMS_BASE_URL", raising=False)
        return CliRunner().invoke(main, arguments)

    return run


def test_without_a_secret_nothing_runs_and_it_is_said(ropes: Callable[..., Result]) -> None:
    for command in (("doctor",), ("db", "upgrade"), ("work",), ("serve", "--port", "0")):
        done = ropes(*command, LMS_SECRET_KEY="")
        assert done.exit_code == 2, command
        assert done.output.startswith("LMS_SECRET_KEY is not set."), command
        assert "Traceback" not in done.output


@pytest.mark.parametrize("secret", ["changeme", "short", "x" * 31])
def test_a_secret_that_will_not_do_is_refused(ropes: Callable[..., Result], secret: str) -> None:
    done = ropes("serve", "--port", "0", LMS_SECRET_KEY=secret)
    assert done.exit_code == 2
    assert "LMS_SECRET_KEY" in done.output


def test_help_names_our_commands_and_the_plugins(ropes: Callable[..., Result]) -> None:
    said = ropes("--help").output
    for command in ("serve", "work", "doctor", "db", "demo", "people", "course", "lrs"):
        assert f"\n  {command} " in said


def test_help_is_there_where_the_application_is_not(ropes: Callable[..., Result]) -> None:
    done = ropes("--help", LMS_SECRET_KEY="")
    assert done.exit_code == 0
    assert "doctor" in done.output
    assert "Commands of plugins are left out: LMS_SECRET_KEY" in done.output


def test_a_setting_that_cannot_be_read_is_named(ropes: Callable[..., Result]) -> None:
    done = ropes("doctor", LMS_MAIL_PORT="twenty-five")
    assert done.exit_code == 2
    assert "LMS_MAIL_PORT" in done.output


def test_serve_refuses_a_database_that_is_behind(
    ropes: Callable[..., Result], tmp_path: Path
) -> None:
    assert ropes("db", "upgrade").exit_code == 0
    if databases.KIND == "postgresql":
        pytest.skip("this test works on the SQLite file of its installation")
    app = create_app({"LMS_SECRET_KEY": SECRET, "LMS_INSTANCE": tmp_path, "LMS_DATABASE_URL": ""})
    with app.app_context():
        with transaction() as session:
            session.execute(db.text("DELETE FROM alembic_version WHERE version_num LIKE 'xapi%'"))
        db.engine.dispose()
    done = ropes("serve", "--port", "0")
    assert done.exit_code == 2
    assert "The database is not up to date" in done.output


def test_doctor_says_what_is_wrong_in_words(ropes: Callable[..., Result]) -> None:
    done = ropes("doctor")
    assert done.exit_code == 1
    assert "ok  database" in done.output
    assert "!!  migrations: The database is not up to date" in done.output
    assert "!!  address: LMS_BASE_URL is http://127.0.0.1:8000: only this machine" in done.output
    assert "!!  company: LMS_COMPANY is not set" in done.output
    assert SECRET not in done.output
    # What is wrong is said once: not again by each check that a fresh database cannot answer.
    assert "could not be checked" not in done.output
    assert "mail server\n" not in done.output
    assert done.output.count("No mail server is set") == 1


def test_doctor_finds_the_worker_that_is_missing_and_the_one_that_is_there(
    app: Flask,
) -> None:
    assert "ropes work" in (dict(doctor.examine())["worker"] or "")
    beat()
    assert dict(doctor.examine())["worker"] is None


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://learn.example.com", None),
        ("http://localhost:8000", "only this machine"),
        ("http://learn.example.com", "without https"),
        ("learn.example.com", "no address"),
    ],
)
def test_doctor_looks_at_the_address(app: Flask, address: str, said: str | None) -> None:
    app.config["LMS_BASE_URL"] = address
    found = doctor.check_address()
    assert found is None if said is None else said in (found or "")


def test_doctor_looks_at_disk_and_jobs(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "tests" in (doctor.check_jobs() or "")
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 10**18)
    assert "MB are free" in (doctor.check_disk() or "")


def test_doctor_asks_the_mail_server(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    class Server:
        def __init__(self, *where: Any, **_more: Any) -> None:
            asked.append(where)
            if where[0] == "away.example.test":
                raise ConnectionRefusedError

        def __enter__(self) -> Server:
            return self

        def __exit__(self, *_error: object) -> None: ...

        def noop(self) -> None: ...

    monkeypatch.setattr(doctor.smtplib, "SMTP", Server)
    assert doctor.check_mail() is None
    assert asked == []
    app.config["LMS_MAIL_SERVER"] = "mail.example.test"
    assert doctor.check_mail() is None
    app.config["LMS_MAIL_SERVER"] = "away.example.test"
    assert "away.example.test:25 does not answer" in (doctor.check_mail() or "")


def leaves(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, by its whole name."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from leaves(command, f"{above} {name}")
        else:
            yield f"{above} {name}".strip(), command


def is_inside(function: Any) -> bool:
    """Tell whether Flask's `with_appcontext`, which is a closure, is around a function."""
    held = [cell.cell_contents for cell in function.__closure__ or ()]
    return any(
        one.__code__.co_filename.endswith("flask/cli.py")
        for one in held
        if hasattr(one, "__code__")
    )


def test_every_command_of_a_plugin_runs_inside_the_application(app: Flask) -> None:
    """One that does not works in tests, which are inside already, and nowhere else."""
    assert [name for name, command in leaves(app.cli) if not is_inside(command.callback)] == []


def test_a_command_makes_the_application_by_itself(make_app: Callable[..., Flask]) -> None:
    ran = make_app().test_cli_runner().invoke(args=["lrs", "retention"])
    assert ran.exit_code == 0, ran.exception
