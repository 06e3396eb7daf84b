"""The administrator's pages: everybody, one person, units."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms.fields.choices import SelectChoice

from lms.db import db
from lms.errors import DomainError, Invalid, NotAllowed
from lms.people import directory, erasing, joining, services
from lms.people.access import Who, allow
from lms.people.codes import find_identity
from lms.people.current import current_person
from lms.people.exchange.write import export_people
from lms.people.forms import PersonForm, RolesForm, SearchForm, UnitForm
from lms.people.models import Identity, Person, Unit
from lms.people.security import is_fresh
from lms.plugin import Audience, has_place_for

blueprint = Blueprint("people_admin", "lms.people", url_prefix="/people")
LINK_DAYS = 7
# Whoever can let somebody in, or change how they sign in, can come in as them: with a session that
# was stolen they could give themselves a fresh one.
NOT_FRESH = _l("You signed in a while ago. Sign out and in again, then come back.")


def unit_choices(none: str = "–") -> list[Any]:
    """Return all units for a choice, those inside others set in."""
    return [
        SelectChoice("", none),
        *(
            SelectChoice(entry.unit.uid, f"{'  ' * entry.depth}{entry.unit.name}")
            for entry in directory.list_units()
        ),
    ]


@blueprint.get("/")
@allow(Who.ADMINISTRATOR)
def everybody() -> Any:
    """Show everybody, a page at a time, with a search."""
    form = SearchForm(request.args, meta={"csrf": False})
    form.unit.choices = unit_choices(_("Every unit"))
    unit = services.get_unit(form.unit.data) if form.unit.data else None
    kind = request.args.get("kind", "")
    after, before = request.args.get("after", ""), request.args.get("before", "")
    listing = directory.list_people(form.words.data or "", unit, kind, after, before)
    return render_template(
        "people/everybody.html",
        form=form,
        listing=listing,
        kind=kind,
        counts=directory.count_by_kind(),
        has_authors=has_place_for(Audience.AUTHOR),
        searching=bool(form.words.data or form.unit.data),
    )


@blueprint.get("/export.csv")
@allow(Who.ADMINISTRATOR)
def export() -> Response:
    """Everybody as CSV, in the columns that the import reads."""
    response = Response("".join(export_people()), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="people.csv"'
    return response


@blueprint.route("/new", methods=["GET", "POST"])
@allow(Who.ADMINISTRATOR)
def add() -> Any:
    """Add one person."""
    form = PersonForm()
    form.unit.choices = unit_choices()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            person = services.add_person(
                form.name.data, form.email.data, form.employee_number.data, current_person()
            )
            _place(person, form)
        except DomainError as error:
            db.session.rollback()
            form.blame(error)
        else:
            flash(_("Added."), "good")
            return redirect(url_for("people_admin.person", person_uid=person.uid))
    return render_template("people/add.html", form=form), status


@blueprint.route("/<person_uid>", methods=["GET", "POST"])
@allow(Who.ADMINISTRATOR)
def person(person_uid: str) -> Any:
    """Show and change one person."""
    found = services.get_person(person_uid)
    if found.identity is None:
        return render_template("people/removed.html", person=found)
    form = PersonForm(data=_as_data(found, found.identity))
    form.unit.choices = unit_choices()
    status = 200
    if form.validate_on_submit() and not is_fresh() and _changes_way_in(found.identity, form):
        form.email.errors = [NOT_FRESH]
        status = NotAllowed.status
    elif form.validate_on_submit():
        try:
            services.rename(
                found,
                form.name.data,
                form.email.data,
                form.employee_number.data,
                current_person(),
            )
            _place(found, form)
        except DomainError as error:
            db.session.rollback()
            form.blame(error)
            found = services.get_person(person_uid)
            status = 422
        else:
            flash(_("Saved."), "good")
            return redirect(url_for("people_admin.person", person_uid=person_uid))
    elif form.is_submitted():
        status = 422
    return (
        render_template(
            "people/person.html",
            person=found,
            identity=found.identity,
            form=form,
            roles=RolesForm(author=found.is_author, administrator=found.is_administrator),
            has_authors=has_place_for(Audience.AUTHOR),
        ),
        status,
    )


def _changes_way_in(identity: Identity, form: PersonForm) -> bool:
    """Whether the form has another address or number, by either of which people sign in."""
    before = (identity.email or "", identity.employee_number or "")
    return before != (form.email.data, form.employee_number.data)


def _as_data(person: Person, identity: Identity) -> dict[str, Any]:
    above = db.session.get(Identity, person.manager_id) if person.manager_id else None
    return {
        "name": identity.display_name,
        "email": identity.email,
        "employee_number": identity.employee_number,
        "unit": person.unit.uid if person.unit else "",
        "job_role": person.job_role,
        "hired_on": person.hired_on,
        "manager": (above.email or above.employee_number or above.sign_in_name) if above else "",
    }


def _place(person: Person, form: PersonForm) -> None:
    """Put a person where the form says."""
    unit = services.get_unit(form.unit.data) if form.unit.data else None
    manager = None
    if form.manager.data:
        above = find_identity(form.manager.data)
        if above is None:
            raise Invalid(
                "Nobody active here is known as “%(key)s”.", "manager", key=form.manager.data
            )
        manager = above.person
    person.hired_on = form.hired_on.data
    services.move(person, manager, unit, form.job_role.data or "")


@blueprint.post("/<person_uid>/roles")
@allow(Who.ADMINISTRATOR)
def roles(person_uid: str) -> Any:
    """Say what a person may do."""
    form = RolesForm()
    if not is_fresh():
        flash(NOT_FRESH, "warn")
    elif form.validate_on_submit():
        found = services.get_person(person_uid)
        services.set_roles(
            found,
            # Where nothing can be written the form does not ask, and nobody's right is taken.
            form.author.data if has_place_for(Audience.AUTHOR) else found.is_author,
            form.administrator.data,
            current_person(),
        )
        flash(_("Saved."), "good")
    return redirect(url_for("people_admin.person", person_uid=person_uid))


@blueprint.post("/<person_uid>/active")
@allow(Who.ADMINISTRATOR)
def active(person_uid: str) -> Any:
    """Suspend a person, or let them in again."""
    wanted = request.form.get("active") == "yes"
    services.set_active(services.get_person(person_uid), wanted, current_person())
    flash(_("They can sign in again.") if wanted else _("Suspended. They are out already."), "good")
    return redirect(url_for("people_admin.person", person_uid=person_uid))


@blueprint.post("/<person_uid>/link")
@allow(Who.ADMINISTRATOR)
def link(person_uid: str) -> Any:
    """Make a link that lets this one person in, once, to choose a password."""
    if not is_fresh():
        flash(NOT_FRESH, "warn")
        return redirect(url_for("people_admin.person", person_uid=person_uid))
    made = joining.make_link(
        current_person(), days=LINK_DAYS, most_uses=1, person=services.get_person(person_uid)
    )
    return redirect(url_for("people_links.link", link_uid=made.uid))


@blueprint.route("/<person_uid>/erase", methods=["GET", "POST"])
@allow(Who.ADMINISTRATOR)
def erase(person_uid: str) -> Any:
    """Say what erasing means, then do it."""
    found = services.get_person(person_uid)
    if request.method == "POST":
        erasing.erase(found, by=current_person(), also=request.form.getlist("also"))
        flash(_("Removed. What is left says nothing about who it was."), "good")
        return redirect(url_for("people_admin.everybody"))
    return render_template(
        "people/erase.html", person=found, identity=found.identity, erasable=erasing.erasable()
    )


@blueprint.get("/units")
@allow(Who.ADMINISTRATOR)
def units() -> Any:
    """Show the units as a tree."""
    return render_template("people/units.html", entries=directory.list_units())


@blueprint.route("/units/new", methods=["GET", "POST"])
@blueprint.route("/units/<unit_uid>", methods=["GET", "POST"])
@allow(Who.ADMINISTRATOR)
def unit(unit_uid: str | None = None) -> Any:
    """Add or change one unit."""
    found = None if unit_uid is None else services.get_unit(unit_uid)
    parent = db.session.get(Unit, found.parent_id) if found and found.parent_id else None
    form = UnitForm(
        data={"name": found.name if found else "", "parent": parent.uid if parent else ""}
    )
    form.parent.choices = unit_choices()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            above = services.get_unit(form.parent.data) if form.parent.data else None
            services.save_unit(found, form.name.data, above, current_person())
        except DomainError as error:
            db.session.rollback()
            form.blame(error)
        else:
            flash(_("Saved."), "good")
            return redirect(url_for("people_admin.units"))
    return render_template("people/unit.html", form=form, unit=found), status


@blueprint.post("/units/<unit_uid>/remove")
@allow(Who.ADMINISTRATOR)
def remove_unit(unit_uid: str) -> Any:
    """Remove an empty unit."""
    services.remove_unit(services.get_unit(unit_uid), current_person())
    flash(_("Removed."), "good")
    return redirect(url_for("people_admin.units"))
