"""People from CSV: whatever HR exports look like, previewed, all or nothing, and again without harm."""

from __future__ import annotations

import csv
import datetime as dt
import io
import time

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from lms import audit, events
from lms.db import db
from lms.errors import Conflict, Invalid
from lms.people.exchange.apply import apply_file, plan_file, snapshot
from lms.people.exchange.plan import Known, Snapshot, make_plan
from lms.people.exchange.read import read
from lms.people.exchange.write import export_people
from lms.people.joining import join, make_link
from lms.people.models import Identity, Person, Unit
from tests.factories.people import make_person
from tests.queries import counted

HEAD = "Personalnummer;Nachname;Vorname;E-Mail;Abteilung;Vorgesetzter;Funktion;Eintrittsdatum\n"
GERMAN = HEAD + (
    "1003;Wrona;Tomasz;tomasz@example.test;Lager Süd;1002;Fahrer;02.11.2026\n"  # boss comes later
    "1002;Haddad;Leila;leila@example.test;Lager Süd;1001;Teamleitung;01.03.2019\n"
    "1001;Brandt;Jonas;jonas@example.test;Leitung;1001;Geschäftsführung;15.06.2012\n"  # own boss
)


def by_number(number: str) -> Person:
    return db.session.scalars(
        select(Person).join(Identity).where(Identity.employee_number == number)
    ).one()


def problems(text: str | bytes) -> list[tuple[int, str]]:
    content = text.encode() if isinstance(text, str) else text
    return [(problem.line, problem.text) for problem in plan_file(content).problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_files_as_hr_systems_write_them(
    app: Flask, encoding: str, separator: str, newline: str
) -> None:
    text = GERMAN.replace(";", separator).replace("\n", newline)
    plan = apply_file(text.encode(encoding), by=None)
    assert [change.name for change in plan.added] == [
        "Tomasz Wrona",
        "Leila Haddad",
        "Jonas Brandt",
    ]
    tomasz, leila, jonas = (by_number(number) for number in ("1003", "1002", "1001"))
    assert tomasz.manager_id == leila.id
    assert leila.manager_id == jonas.id
    assert jonas.manager_id is None
    assert (tomasz.is_manager, leila.is_manager, jonas.is_manager) == (False, True, True)
    assert tomasz.unit is not None
    assert tomasz.unit.name == "Lager Süd"
    assert jonas.job_role == "Geschäftsführung"
    assert tomasz.hired_on == dt.date(2026, 11, 2)
    assert tomasz.identity is not None
    assert (tomasz.identity.given_name, tomasz.identity.sort_name) == ("Tomasz", "wrona tomasz")


def test_again_does_no_harm(app: Flask) -> None:
    apply_file(GERMAN.encode(), by=None)
    uid = by_number("1003").uid
    plan = apply_file(GERMAN.encode("latin-1"), by=None)
    assert (plan.same, list(plan.changes())) == (3, [])
    assert by_number("1003").uid == uid
    assert db.session.scalar(select(func.count()).select_from(Person)) == 3


def test_changes_and_moves_are_told_apart(app: Flask) -> None:
    apply_file(GERMAN.encode(), by=None)
    uid = by_number("1003").uid
    later = GERMAN.replace("Lager Süd;1002;Fahrer", "Lager Nord;1001;Fahrer").replace(
        "leila@example.test", "l.haddad@example.test"
    )
    plan = plan_file(later.encode())
    assert [change.name for change in plan.moved] == ["Tomasz Wrona"]
    assert plan.moved[0].fields["manager"] == ("Leila Haddad", "Jonas Brandt")
    assert plan.moved[0].fields["unit"] == ("Lager Süd", "Lager Nord")
    assert [change.fields for change in plan.changed] == [
        {"email": ("leila@example.test", "l.haddad@example.test")}
    ]
    assert (plan.new_units, plan.same) == (["Lager Nord"], 1)
    apply_file(later.encode(), by=None)
    assert by_number("1003").manager_id == by_number("1001").id
    assert by_number("1003").uid == uid
    assert by_number("1002").is_manager is False


def test_people_swap_their_addresses(app: Flask) -> None:
    head = "employee number,name,email\n"
    apply_file(f"{head}1,Ada One,a@x.test\n2,Bo Two,b@x.test\n".encode(), by=None)
    apply_file(f"{head}1,Ada One,b@x.test\n2,Bo Two,a@x.test\n".encode(), by=None)
    assert by_number("1").identity.email == "b@x.test"  # type: ignore[union-attr]


def test_bad_rows_are_named_and_nothing_is_applied(app: Flask) -> None:
    rows = (
        "number,name,email,manager,hired on,active\n"
        "1,Fine Person,fine@x.test,,,\n"
        "2,Bad Address,not an address,,,\n"
        "3,Bad Day,day@x.test,,31.02.2026,\n"
        "1,Twice There,twice@x.test,,,\n"
        "5,Lost Manager,lost@x.test,99,,\n"
        '6,"=HYPERLINK(""http://x"")",formula@x.test,,,\n'
        ",Nobody Known,,,,\n"
        "8,Perhaps Active,active@x.test,,,perhaps\n"
        "9,Too,many@x.test,,,,more,cells\n"
        "10,,nameless@x.test,,,\n"
    )
    found = problems(rows)
    assert [line for line, _text in found] == [3, 4, 5, 6, 7, 8, 9, 10, 11]
    words = dict(found)
    assert "not an address" in words[3]
    assert "31.02.2026" in words[4]
    assert "line 2" in words[5]
    assert "99" in words[6]
    assert "formula" in words[7]
    with pytest.raises(Invalid, match="9 lines"):
        apply_file(rows.encode(), by=None)
    assert db.session.scalar(select(func.count()).select_from(Person)) == 0


def test_circles_are_named(app: Flask) -> None:
    head = "number,name,manager\n"
    assert [line for line, _text in problems(head + "1,A B,2\n2,C D,3\n3,E F,1\n4,G H,1\n")] == [
        2, 3, 4,
    ]  # fmt: skip
    apply_file((head + "1,A B,\n2,C D,1\n3,E F,2\n").encode(), by=None)
    assert [line for line, _text in problems(head + "1,A B,3\n")] == [2]


def test_lines_are_counted_through_cells_with_line_breaks(app: Flask) -> None:
    text = 'number,name,email\n1,"Long\nName",a@x.test\n\n3,Bad,nowhere\n'
    assert [line for line, _text in problems(text)] == [5]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("colour,size\nred,4\n", "who a person is"),
        ("number,e-mail\n1,a@x.test\n", "name"),
        ("number,id,name\n1,1,A B\n", "Two columns"),
        ('number,name\n1,"A B\n', "quotation mark"),
        ("number,name\n1," + "x" * 300_000 + "\n", "a cell is far too long"),
        ("PK\x03\x04 and what an .xlsx file holds", "CSV UTF-8"),
    ],
)
def test_files_that_make_no_sense_say_why(app: Flask, text: str, says: str) -> None:
    assert says in problems(text)[0][1]


def test_address_of_somebody_else_binds_nobody(app: Flask) -> None:
    head = "number,name,email\n"
    apply_file((head + "1,Ada One,a@x.test\n2,Bo Two,b@x.test\n").encode(), by=None)
    assert "belongs to Bo Two" in problems(head + "1,Ada One,b@x.test\n")[0][1]
    assert "employee number 1, not 3" in problems(head + "3,New Person,a@x.test\n")[0][1]


def test_unknown_columns_are_told_and_left_out(app: Flask) -> None:
    assert plan_file(b"number,name,salary\n1,A B,90000\n").ignored == ("salary",)


def test_what_was_looked_at_is_what_is_done(app: Flask) -> None:
    digest = plan_file(GERMAN.encode()).digest()
    make_person("Somebody Else", email="tomasz@example.test")
    with pytest.raises(Conflict):
        apply_file(GERMAN.encode(), by=None, digest=digest)
    assert db.session.scalar(select(func.count()).select_from(Person)) == 1


def test_import_tells_listeners_and_the_audit_log(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[events.PeopleChanged] = []
    monkeypatch.setitem(app.extensions["lms.events"], events.PeopleChanged, [heard.append])
    administrator = make_person(is_administrator=True)
    apply_file(GERMAN.encode(), by=administrator)
    db.session.flush()
    told = frozenset[int]().union(*(one.person_ids for one in heard))
    assert told == {by_number(n).id for n in ("1001", "1002", "1003")}
    times = len(heard)
    line = db.session.scalars(select(audit.AuditEntry)).one()
    assert (line.act, line.actor_id, line.details["added"]) == (
        "people.imported", administrator.id, 3,
    )  # fmt: skip
    apply_file(GERMAN.encode(), by=administrator)
    assert len(heard) == times


def test_export_is_an_import_that_changes_nothing(app: Flask) -> None:
    apply_file(GERMAN.encode(), by=None)
    boss = by_number("1001")
    link = make_link(boss, days=1, most_uses=2, manager=boss)
    joined = join(link, "Amélie Dupont Ñandú", "three harbour gulls")
    db.session.add(Unit(name="=cmd|' /C calc'!A0"))
    make_person("Imani Okafor", manager=joined.person)
    text = "".join(export_people())
    plan = plan_file(text.encode())
    assert plan.problems == []
    assert [(change.name, change.fields) for change in plan.changes()] == []
    assert plan.same == 5


def test_export_runs_no_formula(app: Flask) -> None:
    make_person("=2+2", job_role="@SUM(A1)")
    cells = next(csv.DictReader(io.StringIO("".join(export_people()).removeprefix("\ufeff"))))
    assert (cells["name"], cells["job role"]) == ("'=2+2", "'@SUM(A1)")


def test_ten_thousand_people_are_few_statements(app: Flask) -> None:
    lines = ["number,name,email,unit,manager\n"] + [
        f"{n},Person {n},p{n}@x.test,Unit {n % 40},{n // 10 or ''}\n" for n in range(1, 10_001)
    ]
    content = "".join(lines).encode()
    begun = time.process_time()  # of this process: the machine may be busy
    with counted() as queries:
        plan = apply_file(content, by=None)
    assert time.process_time() - begun < 15
    assert len(plan.added) == 10_000
    # Ours are fewer than 30; what listens to PeopleChanged writes its rows a thousand at a time.
    assert len(queries) < 60
    with counted() as queries:
        assert apply_file(content, by=None).same == 10_000
    assert len(queries) < 10
    assert by_number("1").is_manager


NAMES = st.text(
    st.characters(categories=("Lu", "Ll", "Lo"), exclude_characters=","), min_size=1, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(
    people=st.lists(st.tuples(NAMES, NAMES, st.integers(0, 30)), min_size=1, max_size=12),
    separator=st.sampled_from([",", ";", "\t"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_whatever_is_written_is_read(
    people: list[tuple[str, str, int]], separator: str, quoting: int
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["Employee ID", "First name", "Last name", "Manager"])
    for number, (given_name, family_name, manager) in enumerate(people):
        writer.writerow([f"E{number}", given_name, family_name, f"E{manager}"])
    sheet = read(out.getvalue().encode("utf-8-sig"))
    assert sheet.problems == []
    assert [(row.given_name, row.family_name) for row in sheet.rows] == [
        (given_name, family_name) for given_name, family_name, _manager in people
    ]
    plan = make_plan(sheet, Snapshot((), frozenset()))
    expected = _oracle([manager for _g, _f, manager in people])
    assert {problem.line - 2 for problem in plan.problems} == expected


def _oracle(managers: list[int]) -> set[int]:
    """Rows whose manager is nowhere; or, where there are none, rows that stand in a circle."""
    count = len(managers)
    lost = {one for one, manager in enumerate(managers) if manager >= count}
    if lost:
        return lost
    circling = set()
    for one in range(count):
        at, steps = managers[one], 0
        while managers[at] != at and at != one and steps <= count:
            at, steps = managers[at], steps + 1
        if at == one and managers[one] != one:
            circling.add(one)
    return circling


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_file_is_read_or_refused_in_words(content: bytes) -> None:
    plan = make_plan(read(content), Snapshot((), frozenset()))
    assert all(problem.text for problem in plan.problems)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    managers=st.lists(st.none() | st.integers(0, 5), min_size=6, max_size=6),
    addresses=st.permutations(range(6)),
)
def test_applying_leads_to_what_the_file_says(
    app: Flask, managers: list[int | None], addresses: list[int]
) -> None:
    lines = ["number,name,email,manager"] + [
        f"n{one},Some Body,a{addresses[one]}@x.test,{'' if manager is None else f'n{manager}'}"
        for one, manager in enumerate(managers)
    ]
    content = "\n".join(lines).encode()
    plan = plan_file(content)
    if plan.problems:
        return
    apply_file(content, by=None)
    after = plan_file(content)
    assert after.same == 6
    found: dict[str | None, Known] = {one.employee_number: one for one in snapshot().people}
    for one, manager in enumerate(managers):
        expected = None if manager in (None, one) else found[f"n{manager}"].id
        assert found[f"n{one}"].manager_id == expected
        assert found[f"n{one}"].email == f"a{addresses[one]}@x.test"
    db.session.commit()
