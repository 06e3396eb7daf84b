"""The administrator's page of the audit log: searched, read, saved as a file, and never changed.

People are chosen by name and named in addresses by opaque ids; a name that is typed travels in a
form's body. Looking for a person is a line of the log itself.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import orjson
from flask import Response, redirect, render_template, request, stream_with_context, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, SearchField, SelectField
from wtforms.validators import Length, Optional

from lms import audit, clock
from lms.db import db, keep_so_far, writes, writing
from lms.errors import Invalid
from lms.forms import Form
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.exchange.write import neutral
from lms.people.finding import find_people_like
from lms.people.models import Person
from lms.people.names import names
from lms.people.services import get_person
from lms.web.audit_log import (
    TAKEN,
    Filters,
    Line,
    find,
    known_acts,
    note_search,
    subject_in_words,
)
from lms.web.views import blueprint

CHOICES_MOST = 20
FILE_ROWS = 500  # in one read of the database
COLUMNS = ("when", "who", "id of who", "act", "what", "about", "id of about", "details")


class AuditForm(Form):
    """The search; `whom` and `subject` hold what was chosen before."""

    who = SearchField(
        _l("Person"), [Length(max=200)], description=_l("Name, address or number."),
        render_kw={"autocomplete": "off"},
    )  # fmt: skip
    act = SelectField(_l("What was done"), validate_choice=False)
    since = DateField(_l("From"), [Optional()])
    until = DateField(_l("To"), [Optional()])
    whom = HiddenField()
    subject = HiddenField()

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.act.choices = [("", _("anything")), *known_acts()]


@blueprint.get("/audit")
@allow(Who.ADMINISTRATOR)
def audit_log() -> str:
    """Show who changed what, newest first."""
    return _page(None, Filters.read(request.args))


@blueprint.get("/audit/person/<person_uid>")
@writes  # looking for a person is written down
@allow(Who.ADMINISTRATOR)
def audit_log_of(person_uid: str) -> str:
    """Show what one person did, and what was done about them."""
    person, filters = get_person(person_uid), Filters.read(request.args)
    note_search(person, current_person(), turned=filters.before is not None)
    keep_so_far()  # the line stands before anything is shown
    return _page(person, filters)


@blueprint.post("/audit/find")
@allow(Who.ADMINISTRATOR)
def find_in_audit_log() -> Any:
    """Turn what was typed into an address; ask where a name fits several."""
    form = AuditForm()
    if not form.validate():
        return _page(None, Filters(), form), 422
    filters = Filters.read(
        {
            name: str(form[name].data)
            for name in ("act", "subject", "since", "until")
            if form[name].data
        }
    )
    typed = (form.who.data or "").strip()
    if not typed:
        person = get_person(form.whom.data) if form.whom.data else None
        return redirect(address(person, filters))
    people = find_people_like(typed, CHOICES_MOST + 1)
    if len(people) == 1:
        return redirect(address(get_person(people[0].uid), filters))
    if not people:
        form.blame(Invalid(_("Nobody here is known by that."), "who"))
        return _page(None, filters, form), 422
    return render_template(
        "web/audit_choose.html",
        people=people[:CHOICES_MOST],
        more=len(people) > CHOICES_MOST,
        filters=filters,
    )


@blueprint.post("/audit/file")
@allow(Who.ADMINISTRATOR)
def take_audit_log() -> Response:
    """Send what was found as CSV, however much it is; who takes it is written down."""
    filters = Filters.read(request.form).at()
    person = get_person(request.form["person"]) if request.form.get("person") else None
    audit.note(
        TAKEN,
        f"person/{person.uid}" if person else "audit",
        current_person().id,
        what=filters.act,
        about=filters.subject,
        since=str(filters.since or ""),
        until=str(filters.until or ""),
    )
    person_id = person.id if person else None
    answer = Response(stream_with_context(_file(filters, person_id)), mimetype="text/csv")
    name = f"audit-{clock.today():%Y-%m-%d}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def address(person: Person | None, filters: Filters) -> str:
    """Return the address of a search: it can be kept, and given to another administrator."""
    if person is None:
        return url_for("web.audit_log", **filters.query())
    return url_for("web.audit_log_of", person_uid=person.uid, **filters.query())


def _page(person: Person | None, filters: Filters, form: AuditForm | None = None) -> str:
    found = find(filters, person)
    if form is None:
        form = AuditForm(formdata=None, data={
            "act": filters.act, "since": filters.since, "until": filters.until,
            "whom": person.uid if person else "", "subject": filters.subject,
        })  # fmt: skip
    return render_template(
        "web/audit.html",
        form=form,
        found=found,
        filters=filters,
        person=person,
        name=names([person.id])[person.id].display if person else "",
        about=subject_in_words(filters.subject) if filters.subject else "",
        address=address,
    )


def _file(filters: Filters, person_id: int | None) -> Iterator[str]:
    yield "\ufeff" + _row(COLUMNS)  # the mark makes spreadsheets read UTF-8
    before: int | None = None
    while True:
        rows, before = _some(filters.at(before), person_id)
        yield from rows
        if before is None:
            return


def _some(filters: Filters, person_id: int | None) -> tuple[list[str], int | None]:
    """Read some lines in a transaction of their own: a file takes as long as its reader does."""
    with writing(False):
        person = db.session.get(Person, person_id) if person_id is not None else None
        found = find(filters, person, FILE_ROWS)
        rows = [_row(_cells(line)) for line in found.lines]
        db.session.rollback()
    return rows, found.older


def _cells(line: Line) -> tuple[str, ...]:
    entry = line.entry
    return (
        entry.at.isoformat(timespec="seconds"),
        line.who.display if line.who else "",
        line.who.uid if line.who else "",
        entry.act,
        line.words,
        f"{line.label}: {line.named}" if line.named else line.label,
        entry.subject,
        orjson.dumps(entry.details).decode() if entry.details else "",
    )


def _row(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([neutral(cell) for cell in cells])
    return out.getvalue()
