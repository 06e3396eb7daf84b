"""Removing a person's statements for good."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for

from lms.errors import DomainError
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.names import display_names
from xapi.keeping import removal
from xapi.keeping.forms import RemovalForm
from xapi.keeping.models import RemovalState
from xapi.keeping.subject import Subject, read_subject
from xapi.pages.blueprint import blueprint

KNOTS = 12


@blueprint.route("/keeping/remove", methods=["GET", "POST"])
@allow(Who.ADMINISTRATOR)
def remove_person() -> Any:
    """Ask whose; say what would go; and have it done."""
    form = RemovalForm()
    if not form.is_submitted():
        return render_template("xapi/remove.html", form=form)
    if form.validate():
        try:
            subject = read_subject(form.person.data)
            if not form.sure.data:
                return _confirm(form, subject)
            made = removal.ask(subject, form.reason.data or "", current_person().id)
            return redirect(url_for("xapi.one_removal", removal_uid=made.uid))
        except DomainError as error:
            form.blame(error)
    return render_template("xapi/remove.html", form=form), 422


def _confirm(form: RemovalForm, subject: Subject) -> str:
    whose = form.person.data
    if subject.person_id is not None:
        whose = display_names([subject.person_id]).get(subject.person_id) or whose
    return render_template(
        "xapi/remove_sure.html",
        form=form,
        whose=whose,
        extent=removal.measure(subject),
        earlier=removal.find_earlier(subject),
        one_of_us=subject.person_id is not None,
    )


@blueprint.get("/keeping/removal/<removal_uid>")
@allow(Who.ADMINISTRATOR)
def one_removal(removal_uid: str) -> str:
    """Show how far a removal is, or what it removed."""
    found = removal.get(removal_uid)
    gone = found.statements + found.documents + found.copies
    return render_template(
        "xapi/one_removal.html",
        one=found,
        by=display_names([found.by_id] if found.by_id is not None else []).get(found.by_id or 0),
        done=found.state == RemovalState.DONE.value,
        knots=KNOTS * min(gone, found.to_do) // max(found.to_do, 1),
    )
