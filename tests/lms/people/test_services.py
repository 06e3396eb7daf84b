"""What administrators decide about people, and what is left of somebody who was erased."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from lms import audit, clock, events
from lms.db import db
from lms.errors import Conflict, Invalid
from lms.jobs.queue import run_pending
from lms.people import codes, erasing, joining, services
from lms.people.exchange.files import keep_file
from lms.people.models import Familiar, Identity, JoinLink, Passkey, PeopleFile, Person, SignInCode
from lms.people.names import display_names
from tests import databases
from tests.factories.people import make_person, make_unit
from tests.queries import counted


@pytest.fixture
def administrator(app: Flask) -> Person:
    return make_person("Jonas Brandt", is_administrator=True)


@pytest.fixture
def heard(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[events.Event]:
    told: list[events.Event] = []
    for event in (events.PeopleChanged, events.PersonErased):
        monkeypatch.setitem(app.extensions["lms.events"], event, [told.append])
    return told


def test_changed_address_changes_no_statement(administrator: Person) -> None:
    person = make_person("Imani Okafor", email="old@example.test")
    uid = person.uid
    services.rename(person, "Imani Okafor-Haddad", "new@example.test", "77")
    db.session.commit()
    assert person.uid == uid  # all that statements, awards and addresses know of a person
    assert display_names([person.id]) == {person.id: "Imani Okafor-Haddad"}
    assert services.find_by_keys(["NEW@example.test", "old@example.test"], ["77", "78"]) == (
        {"new@example.test": person.id},
        {"77": person.id},
    )


def test_two_people_do_not_share_an_address_or_number(app: Flask) -> None:
    make_person(email="taken@example.test", name="Leila Haddad").identity.employee_number = "1"  # type: ignore[union-attr]
    db.session.commit()
    other = make_person()
    with pytest.raises(Conflict):
        services.rename(other, "Other", "Taken@Example.test")
    with pytest.raises(Conflict):
        services.rename(other, "Other", "", "1")
    for name, email in (("", ""), ("=1+1", ""), ("Fine", "nowhere")):
        with pytest.raises(Invalid):
            services.rename(other, name, email)


def test_moving_makes_no_circle(app: Flask, heard: list[events.Event]) -> None:
    top = make_person()
    middle = make_person(manager=top)
    low = make_person(manager=middle)
    for manager in (low, middle, top):
        with pytest.raises(Invalid, match="circle"):
            services.move(top, manager, None, "")
    unit = make_unit("Depot")
    services.move(low, top, unit, " driver ")
    assert (low.manager_id, low.unit_id, low.job_role) == (top.id, unit.id, "driver")
    assert middle.is_manager is False
    # Who is no manager any more has changed as well.
    assert heard == [events.PeopleChanged(frozenset({one.id})) for one in (middle, low)]


def test_somebody_can_always_administer(administrator: Person) -> None:
    with pytest.raises(Conflict):
        services.set_roles(administrator, author=False, administrator=False, by=administrator)
    with pytest.raises(Conflict):
        services.set_active(administrator, False, by=administrator)
    with pytest.raises(Conflict):
        erasing.erase(administrator, by=administrator)
    other = make_person()
    services.set_roles(other, author=True, administrator=True, by=administrator)
    services.set_roles(administrator, author=False, administrator=False, by=other)
    assert [line.act for line in db.session.scalars(select(audit.AuditEntry))] == [
        "people.roles", "people.roles",
    ]  # fmt: skip


def test_suspended_person_is_out_and_can_come_back(
    administrator: Person, sign_in: Callable[[Person], FlaskClient]
) -> None:
    person = make_person()
    browser = sign_in(person)
    services.set_active(person, False, by=administrator)
    assert browser.get("/").status_code == 302
    services.set_active(person, True, by=administrator)
    assert browser.get("/").status_code == 302  # the old session is over for good
    assert sign_in(person).get("/").status_code == 200


def test_units_make_no_circle(administrator: Person) -> None:
    plant = services.save_unit(None, " Plant  1 ", None, administrator)
    line = services.save_unit(None, "Line", plant, administrator)
    assert plant.name == "Plant 1"
    with pytest.raises(Invalid, match="circle"):
        services.save_unit(plant, "Plant 1", line, administrator)
    with pytest.raises(Conflict, match="already"):
        services.save_unit(None, "line", None, administrator)
    with pytest.raises(Conflict, match="still"):
        services.remove_unit(plant, administrator)
    services.remove_unit(line, administrator)
    services.remove_unit(plant, administrator)


def test_erasing_leaves_nobody(administrator: Person, heard: list[events.Event]) -> None:
    top = make_person("Leila Haddad")
    person = make_person("Zyxwvut Qponmlk", manager=top, email="zyxwvut@example.test")
    report = make_person("Tomasz Wrona", manager=person)
    identity = person.identity
    assert identity is not None
    identity.webauthn.append(
        Passkey(
            name="Zyxwvut phone", credential_id=b"1", public_key=b"2", backup_state=False,
            device_type="single_device", usage="first", lastuse_datetime=clock.now(),
        )
    )  # fmt: skip
    codes.ask("zyxwvut@example.test")
    joining.make_link(administrator, days=1, most_uses=1, person=person)
    db.session.add(Familiar(person_id=person.id, key="a place", until=clock.today()))
    keep_file(b"name;email\nZyxwvut Qponmlk;zyxwvut@example.test\n", "people.csv", administrator)
    db.session.commit()
    person_id, uid = person.id, person.uid
    erasing.erase(person, by=administrator)
    db.session.commit()
    for model in (Passkey, SignInCode, JoinLink, PeopleFile, Familiar):
        assert db.session.scalar(select(func.count()).select_from(model)) == 0
    assert db.session.get(Identity, person_id) is None
    left = db.session.get(Person, person_id)
    assert left is not None
    assert (left.uid, left.active, left.is_manager) == (uid, False, False)
    assert report.manager_id == top.id
    assert top.is_manager
    assert events.PersonErased(person_id) in heard
    assert events.PeopleChanged(frozenset({person_id, report.id})) in heard
    line = db.session.scalars(
        select(audit.AuditEntry).where(audit.AuditEntry.act == "people.erased")
    ).one()
    assert (line.subject, line.actor_id) == (f"person/{uid}", administrator.id)
    assert display_names([person_id]) == {person_id: "Somebody who has left"}


@pytest.mark.skipif(databases.KIND != "sqlite", reason="about SQLite's files")
def test_erasing_leaves_nothing_in_the_files(administrator: Person, tmp_path: Path) -> None:
    person = make_person("Zyxwvut Qponmlk", email="zyxwvut@example.test")
    db.session.commit()
    erasing.erase(person, by=administrator)
    db.session.commit()
    db.session.remove()
    assert erasing.JOB in run_pending()
    kept = [path.name for path in tmp_path.rglob("*") if b"yxwvut" in path.read_bytes().lower()]
    assert kept == []
    sqlite3.connect(tmp_path / "ropes.sqlite3").close()


def test_dead_ends_are_the_same_for_ten_and_a_thousand(app: Flask) -> None:
    with counted() as queries:
        services.find_by_keys([f"p{n}@x.test" for n in range(1000)], [str(n) for n in range(1000)])
    assert len(queries) == 2


def test_first_administrator_and_import_by_command(app: Flask, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    made = runner.invoke(args=["people", "administrator", "Leila Haddad"])
    assert made.exit_code == 0, made.output
    path = made.output.splitlines()[0].removeprefix("http://localhost")
    assert app.test_client().get(path).status_code == 200
    file = tmp_path / "people.csv"
    file.write_text("number,name,manager\n1,Imani Okafor,2\n2,Tomasz Wrona,\n")
    tried = runner.invoke(args=["people", "import", str(file), "--dry-run"])
    assert "dry run" in tried.output
    assert db.session.scalar(text("SELECT count(*) FROM lms_person")) == 1
    assert runner.invoke(args=["people", "import", str(file)]).exit_code == 0
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(*) FROM lms_person")) == 3
    out = tmp_path / "out.csv"
    assert runner.invoke(args=["people", "export", str(out)]).exit_code == 0
    assert "Imani Okafor" in out.read_text("utf-8-sig")
    file.write_text("number,name,email\n1,Imani Okafor,nowhere\n")
    refused = runner.invoke(args=["people", "import", str(file)])
    assert refused.exit_code == 1
    assert "not an e-mail address" in " ".join(refused.output.split())
    uid = db.session.scalars(
        select(Person.uid).join(Identity).where(Identity.employee_number == "1")
    ).one()
    db.session.rollback()
    assert runner.invoke(args=["people", "erase", uid, "--yes"]).exit_code == 0
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Identity)) == 2
