"""What an administrator decides about people: who is here, where they stand, what they may do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select, update

from lms import audit, events
from lms.db import db
from lms.errors import Conflict, Invalid, NotFound
from lms.mail.trouble import forget_trouble
from lms.people.exchange.read import EMAIL, FORMULA_STARTS, plain_line
from lms.people.joining import sort_name
from lms.people.models import Identity, JoinLink, Person, Unit
from lms.people.security import end_sessions
from lms.people.tree import below, refresh_managers
from lms.people.ways_in import note_addresses_changed

ROLES = ("is_author", "is_administrator")


def get_person(uid: str) -> Person:
    """Return the person with this uid; raises NotFound."""
    found = db.session.scalar(select(Person).where(Person.uid == uid))
    if found is None:
        raise NotFound("There is nobody here.")
    return found


def find_by_keys(
    emails: Iterable[str] = (), employee_numbers: Iterable[str] = ()
) -> tuple[dict[str, int], dict[str, int]]:
    """Return person ids by lower-case address and by employee number, in two queries at most.

    For connectors that link accounts in bulk; whoever is unknown is left out.
    """
    wanted_emails = {email.strip().lower() for email in emails if email}
    wanted_numbers = {number.strip() for number in employee_numbers if number}
    by_email: dict[str, int] = {}
    by_number: dict[str, int] = {}
    if wanted_emails:
        lowered = func.lower(Identity.email)
        by_email.update(
            (email, person_id)
            for email, person_id in db.session.execute(
                select(lowered, Identity.person_id).where(lowered.in_(wanted_emails))
            )
        )
    if wanted_numbers:
        by_number.update(
            (str(number), person_id)
            for number, person_id in db.session.execute(
                select(Identity.employee_number, Identity.person_id).where(
                    Identity.employee_number.in_(wanted_numbers)
                )
            )
        )
    return by_email, by_number


def add_person(
    name: str, email: str = "", employee_number: str = "", by: Person | None = None, **fields: Any
) -> Person:
    """Add one person; `fields` are columns of Person. Raises Invalid or Conflict, see `rename`."""
    person = Person(**fields)
    person.identity = Identity(display_name="", given_name="", sort_name="")
    db.session.add(person)
    db.session.flush()
    _name(person, name, email, employee_number)
    refresh_managers()
    events.publish(events.PeopleChanged(frozenset({person.id})))
    audit.note("people.added", f"person/{person.uid}", by.id if by else None)
    return person


def rename(
    person: Person, name: str, email: str = "", employee_number: str = "", by: Person | None = None
) -> None:
    """Set name, address and number; whose address changes is told so, at the old one as well.

    Statements name people by uid, so none of them changes. Raises Invalid for a name or address that is none, Conflict where another person has it.
    """
    identity = person.identity
    before = (identity.email, identity.employee_number) if identity else (None, None)
    identity = _name(person, name, email, employee_number)
    if (identity.email or "").lower() != (before[0] or "").lower():
        note_addresses_changed({person.id: before[0]}, by)
    if identity.employee_number != before[1]:
        audit.note("people.number.changed", f"person/{person.uid}", by.id if by else None)


def _name(person: Person, name: str, email: str, employee_number: str) -> Identity:
    identity = person.identity
    if identity is None:
        raise Conflict("This person's name was removed; nothing can be added to it.")
    name = plain_line(name)
    if not name or name.startswith(FORMULA_STARTS):
        raise Invalid("A person needs a name, and it begins with a letter.", "name")
    if email and not EMAIL.fullmatch(email):
        raise Invalid("“%(email)s” is not an e-mail address.", "email", email=email)
    taken = select(Identity.person_id).where(Identity.person_id != person.id)
    if email and db.session.scalar(taken.where(func.lower(Identity.email) == email.lower())):
        raise Conflict("Somebody else here has this e-mail address.", "email")
    if employee_number and db.session.scalar(
        taken.where(Identity.employee_number == employee_number)
    ):
        raise Conflict("Somebody else here has this employee number.", "employee_number")
    if identity.display_name != name:
        identity.display_name = name
        identity.given_name = name.split()[0]
        identity.sort_name = sort_name(name)
    if identity.email != (email or None):
        forget_trouble({person.id})  # what the mail server said was about the address of before
    identity.email = email or None
    identity.employee_number = employee_number or None
    return identity


def move(person: Person, manager: Person | None, unit: Unit | None, job_role: str) -> None:
    """Put a person elsewhere in the organisation.

    Raises Invalid where the manager stands below the person, or is the person: a circle.
    """
    if manager is not None:
        under = below(person.id, active_only=False)
        if manager.id == person.id or db.session.scalar(
            select(Person.id).where(Person.id == manager.id, Person.id.in_(under))
        ):
            raise Invalid(
                "That would be a circle: the manager chosen reports to this person.", "manager"
            )
    person.manager_id = manager.id if manager else None
    person.unit_id = unit.id if unit else None
    person.job_role = job_role.strip()
    db.session.flush()
    refresh_managers()
    events.publish(events.PeopleChanged(frozenset({person.id})))


def set_roles(person: Person, author: bool, administrator: bool, by: Person) -> None:
    """Say whether a person writes courses and whether they administer.

    Managers are those to whom somebody reports; that follows from the organisation by itself.
    Raises Conflict where nobody would be left to administer.
    """
    if person.is_administrator and not administrator:
        keep_an_administrator(person)
    before = (person.is_author, person.is_administrator)
    person.is_author, person.is_administrator = author, administrator
    if before != (author, administrator):
        audit.note(
            "people.roles", f"person/{person.uid}", by.id,
            author=author, administrator=administrator,
        )  # fmt: skip
        events.publish(events.PeopleChanged(frozenset({person.id})))


def set_active(person: Person, active: bool, by: Person) -> None:
    """Suspend a person or let them in again; a suspended one is out at the next request."""
    if person.active == active:
        return
    if not active:
        keep_an_administrator(person)
        if person.identity is not None:
            end_sessions(person.identity)
    elif person.identity is None:
        raise Conflict("This person's name was removed; nobody can sign in as them.")
    person.active = active
    db.session.flush()
    refresh_managers()
    audit.note("people.active" if active else "people.suspended", f"person/{person.uid}", by.id)
    events.publish(events.PeopleChanged(frozenset({person.id})))


def keep_an_administrator(person: Person) -> None:
    """Raise Conflict where this is the last person who can administer.

    The rows of all who can are locked, so that two who give it up at once do not both find another.
    """
    if not person.is_administrator:
        return
    asked = select(Person.id).where(Person.is_administrator, Person.active).order_by(Person.id)
    if not set(db.session.scalars(asked.with_for_update())) - {person.id}:
        raise Conflict(
            "Nobody else administers this installation. Make somebody else administrator first."
        )


def get_unit(uid: str) -> Unit:
    """Return the unit with this uid; raises NotFound."""
    found = db.session.scalar(select(Unit).where(Unit.uid == uid))
    if found is None:
        raise NotFound("There is no such unit.")
    return found


def save_unit(unit: Unit | None, name: str, parent: Unit | None, by: Person) -> Unit:
    """Add a unit (None), or rename and move one.

    Raises Invalid for a name that is none or a circle, Conflict where another unit has the name.
    """
    name = " ".join(name.split())
    if not name or name.startswith(FORMULA_STARTS):
        raise Invalid("A unit needs a name, and it begins with a letter or digit.")
    same = select(Unit.id).where(func.lower(Unit.name) == name.lower())
    if unit is not None:
        same = same.where(Unit.id != unit.id)
    if db.session.scalar(same) is not None:
        raise Conflict("There is a unit named “%(name)s” already.", name=name)
    above = parent
    while above is not None:
        if unit is not None and above.id == unit.id:
            raise Invalid("That would be a circle: the unit chosen is inside this one.", "parent")
        above = db.session.get(Unit, above.parent_id) if above.parent_id else None
    if unit is None:
        unit = Unit(name=name)
        db.session.add(unit)
    unit.name, unit.parent_id = name, parent.id if parent else None
    db.session.flush()
    audit.note("people.unit", f"unit/{unit.uid}", by.id)
    inside = frozenset(db.session.scalars(select(Person.id).where(Person.unit_id == unit.id)))
    if inside:
        events.publish(events.PeopleChanged(inside))
    return unit


def remove_unit(unit: Unit, by: Person) -> None:
    """Remove a unit that is empty; raises Conflict where people or units are in it."""
    for inside in (
        select(Person.id).where(Person.unit_id == unit.id),
        select(Unit.id).where(Unit.parent_id == unit.id),
    ):
        if db.session.scalar(inside.limit(1)) is not None:
            raise Conflict("Somebody or something is still in this unit. Move them first.")
    db.session.execute(update(JoinLink).where(JoinLink.unit_id == unit.id).values(unit_id=None))
    audit.note("people.unit.removed", f"unit/{unit.uid}", by.id)
    db.session.delete(unit)
