"""Carrying out a plan: set by set, in the caller's transaction, whatever the number of people."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from lms import audit, clock, events
from lms.db import begin_writing, db, one_at_a_time
from lms.errors import Conflict, Invalid
from lms.people.exchange.plan import Change, Known, Plan, Snapshot, make_plan
from lms.people.exchange.read import read
from lms.people.joining import sort_name
from lms.people.models import Identity, Person, Unit, new_uid
from lms.people.names import folded
from lms.people.search import keep_words
from lms.people.tree import refresh_managers
from lms.people.ways_in import note_addresses_changed

PERSON_FIELDS = ("job_role", "hired_on", "active", "language")
IDENTITY_FIELDS = ("email", "employee_number")
IMPORT = "people.import"  # two files that are taken over at once


def snapshot() -> Snapshot:
    """Read the company as it stands, in two queries."""
    rows = db.session.execute(
        select(
            Person.id, Identity.display_name, Identity.given_name, Identity.sort_name,
            Identity.email, Identity.employee_number, Identity.sign_in_name, Person.manager_id, Unit.name,
            Person.job_role, Person.hired_on, Person.active, Person.language,
        )
        .join(Identity, Identity.person_id == Person.id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .order_by(Person.id)
    )  # fmt: skip
    return Snapshot(
        tuple(Known(*row) for row in rows), frozenset(db.session.scalars(select(Unit.name)))
    )


def plan_file(content: bytes) -> Plan:
    """Work out what a file would change today."""
    return make_plan(read(content), snapshot())


def apply_file(content: bytes, by: Person | None, digest: str | None = None) -> Plan:
    """Do what a file says, all of it or nothing; return what was done.

    digest: of the plan that was looked at. Raises Conflict where the company has changed since, so
    that something else would be done; Invalid where the file has problems.
    """
    sheet = read(content)
    begin_writing()  # what is planned from here on is what is done
    one_at_a_time(IMPORT)
    plan = make_plan(sheet, snapshot())
    if plan.problems:
        raise Invalid(
            "%(count)s lines cannot be taken over, so nothing was changed. Line %(line)s: %(text)s",
            count=len(plan.problems),
            line=plan.problems[0].line,
            text=plan.problems[0].text,
        )
    if digest is not None and plan.digest() != digest:
        raise Conflict("The company has changed since you looked; nothing was done. Look again.")
    apply_plan(plan, by)
    return plan


def apply_plan(plan: Plan, by: Person | None) -> None:
    """Carry out a plan that has no problems, and tell those who listen."""
    session = db.session()
    unit_ids = _make_units(session, plan.new_units)
    ids = _add(session, plan.added, unit_ids)
    kept = [*plan.changed, *plan.moved]
    ids |= {change.row.line: change.known.id for change in kept if change.known}
    _change(session, kept, unit_ids)
    _set_managers(session, plan, ids)
    session.expire_all()
    keep_words(list(ids.values()))
    refresh_managers()
    note_addresses_changed(_former_addresses(kept), by)
    if ids:
        events.publish(events.PeopleChanged(frozenset(ids.values())))
        audit.note(
            "people.imported",
            "people",
            by.id if by else None,
            added=len(plan.added),
            changed=len(plan.changed),
            moved=len(plan.moved),
            left=plan.same,
        )


def _former_addresses(kept: list[Change]) -> dict[int, str | None]:
    """Return the addresses that those had who have another one now."""
    return {
        change.known.id: change.known.email
        for change in kept
        if change.known
        and "email" in change.fields
        and (change.known.email or "").lower() != str(change.fields["email"][1] or "").lower()
    }


def _make_units(session: Session, names: list[str]) -> dict[str, int]:
    if names:
        session.execute(insert(Unit), [{"uid": new_uid(), "name": name} for name in names])
    return {name: unit_id for unit_id, name in session.execute(select(Unit.id, Unit.name))}


def _add(session: Session, added: list[Change], unit_ids: dict[str, int]) -> dict[int, int]:
    """Add everybody who is new; return person ids by line."""
    if not added:
        return {}
    people = [
        {
            "uid": new_uid(),
            "active": change.row.active is not False,
            "unit_id": unit_ids.get(change.row.unit or ""),
            "job_role": change.row.job_role or "",
            "hired_on": change.row.hired_on,
            "language": change.row.language or "",
            "created_at": clock.now(),
        }
        for change in added
    ]
    session.execute(insert(Person), people)
    by_uid: dict[str, int] = {}
    uids = [str(person["uid"]) for person in people]
    for start in range(0, len(uids), 10_000):  # databases limit the values of one statement
        found = select(Person.uid, Person.id).where(Person.uid.in_(uids[start : start + 10_000]))
        by_uid.update((row.uid, row.id) for row in session.execute(found))
    session.execute(
        insert(Identity),
        [
            {
                "person_id": by_uid[uid],
                "email": change.row.email,
                "employee_number": change.row.employee_number,
                "fs_uniquifier": new_uid(),
                **_names(change),
            }
            for uid, change in zip(uids, added, strict=True)
        ],
    )
    return {change.row.line: by_uid[uid] for uid, change in zip(uids, added, strict=True)}


def _names(change: Change) -> dict[str, str]:
    row = change.row
    name = row.name or ""
    turned = f"{row.family_name} {row.given_name or ''}" if row.family_name else None
    return {
        "display_name": name,
        "given_name": row.given_name or name.split()[0],
        "sort_name": sort_name(name) if turned is None else folded(turned)[:200],
    }


def _change(session: Session, kept: list[Change], unit_ids: dict[str, int]) -> None:
    """Change those who were here: one statement for each field, over all whom it concerns."""
    for field in (*PERSON_FIELDS, "unit"):
        rows: list[dict[str, Any]] = [
            {"of": change.known.id, "to": change.fields[field][1]}
            for change in kept
            if change.known and field in change.fields
        ]
        if field == "unit":
            rows = [{"of": row["of"], "to": unit_ids.get(row["to"])} for row in rows]
        _set(session, Person, Person.id, "unit_id" if field == "unit" else field, rows)
    _free(session, kept)
    for field in IDENTITY_FIELDS:
        rows = [
            {"of": change.known.id, "to": change.fields[field][1]}
            for change in kept
            if change.known and field in change.fields
        ]
        _set(session, Identity, Identity.person_id, field, rows)
    named = [change for change in kept if change.known and "name" in change.fields]
    for field in ("display_name", "given_name", "sort_name"):
        rows = [
            {"of": change.known.id, "to": _names(change)[field]} for change in named if change.known
        ]
        _set(session, Identity, Identity.person_id, field, rows)


def _free(session: Session, kept: list[Change]) -> None:
    """Empty addresses and numbers that change, so that two people can swap theirs."""
    for field in IDENTITY_FIELDS:
        rows: list[dict[str, Any]] = [
            {"of": change.known.id, "to": None}
            for change in kept
            if change.known and field in change.fields
        ]
        _set(session, Identity, Identity.person_id, field, rows)


def _set_managers(session: Session, plan: Plan, ids: dict[int, int]) -> None:
    rows: list[dict[str, Any]] = []
    for change in plan.changes():
        if "manager" not in change.fields:
            continue
        manager = change.manager
        if manager is None:
            above = None
        else:
            above = manager.known_id if manager.known_id is not None else ids[manager.line or 0]
        rows.append({"of": ids[change.row.line], "to": above})
    _set(session, Person, Person.id, "manager_id", rows)


def _set(session: Session, model: Any, key: Any, column: str, rows: list[dict[str, Any]]) -> None:
    """Set one column for many rows: `UPDATE ... SET column = :to WHERE key = :of`, many times over."""
    if rows:
        table = model.__table__
        statement = (
            update(table)
            .where(table.c[key.key] == bindparam("of"))
            .values({column: bindparam("to")})
        )
        session.connection().execute(statement, rows)
