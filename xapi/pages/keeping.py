"""Keeping: how much there is, for how long, and statements taken out as files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import get_timezone
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lms import audit
from lms.db import writes
from lms.errors import DomainError
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.names import display_names
from xapi.keeping import export, figures, removal, retention
from xapi.keeping.choice import Choice, read_choice
from xapi.keeping.forms import ExportForm, RetentionForm
from xapi.keeping.subject import Subject, read_subject
from xapi.pages.blueprint import blueprint

PIECE_BYTES = 64 * 1024


@blueprint.get("/keeping")
@allow(Who.ADMINISTRATOR)
def keeping() -> str:
    """Show how much is kept, and what was done about it."""
    removals = removal.list_all()
    return render_template(
        "xapi/keeping.html",
        figures=figures.count(),
        exports=figures.exports(export.list_all()),
        rules=retention.rules(),
        removals=removals,
        names=display_names({one.by_id for one in removals if one.by_id is not None}),
    )


@blueprint.route("/keeping/retention", methods=["GET", "POST"])
@allow(Who.ADMINISTRATOR)
def keep_for() -> Any:
    """Show for how long what is kept, and change it; what would go at once is said first."""
    form = RetentionForm(obj=retention.rules())
    if not retention.knows_network():
        del form.network
    if not form.is_submitted():
        return render_template("xapi/retention.html", form=form, runs=retention.runs())
    if not form.validate():
        return render_template("xapi/retention.html", form=form, runs=retention.runs()), 422
    due = retention.count_due(form.told())
    if any(due) and not form.sure.data:
        return render_template("xapi/retention.html", form=form, runs=(), due=due)
    retention.change(form.told(), current_person().id)
    flash(_("From now on it is kept so."), "good")
    return redirect(url_for("xapi.keeping"))


@blueprint.route("/keeping/export", methods=["GET", "POST"])
@allow(Who.ADMINISTRATOR)
def make_export() -> Any:
    """Ask for files of statements."""
    form = ExportForm()
    if form.validate_on_submit():
        try:
            subject = read_subject(form.person.data) if form.person.data else Subject(())
        except DomainError as error:
            form.blame(error)
        else:
            made = export.ask(_chosen(form, subject), current_person().id, subject.person_id)
            return redirect(url_for("xapi.one_export", export_uid=made.uid))
    return render_template("xapi/export.html", form=form), 422 if form.is_submitted() else 200


def _chosen(form: ExportForm, subject: Subject) -> Choice:
    until = form.until.data + dt.timedelta(days=1) if form.until.data else None
    return Choice(
        agents=subject.keys,
        since=_midnight(form.since.data),
        until=_midnight(until),
        verb=form.verb.data or None,
        voided=form.voided.data,
        attachments=form.attachments.data,
        documents=form.documents.data,
    )


def _midnight(day: dt.date | None) -> dt.datetime | None:
    """Return the moment just before a day begins, where the administrator lives."""
    if day is None:
        return None
    midnight = dt.datetime.combine(day, dt.time(), get_timezone() or dt.UTC)
    return midnight.astimezone(dt.UTC) - dt.timedelta(microseconds=1)


@blueprint.get("/keeping/export/<export_uid>")
@allow(Who.ADMINISTRATOR)
def one_export(export_uid: str) -> str:
    """Show how far a file is, or its parts."""
    [shown] = figures.exports([export.get(export_uid)])
    return render_template("xapi/one_export.html", one=shown)


@blueprint.post("/keeping/export/<export_uid>/stop")
@allow(Who.ADMINISTRATOR)
def stop_export(export_uid: str) -> Response:
    """End one that is under way, or throw it away."""
    export.stop(export_uid, current_person().id)
    flash(_("It is removed."), "good")
    return redirect(url_for("xapi.keeping"))


@blueprint.get("/keeping/export/<export_uid>/<part>")
@allow(Who.ADMINISTRATOR)
@writes
def download_export(export_uid: str, part: str) -> Response:
    """Send a file, and note who took it."""
    path = export.file_of(export_uid, part)
    made = export.get(export_uid)
    audit.note(
        "xapi.export.taken",
        f"export/{export_uid}",
        current_person().id,
        part=part,
        narrowed=not read_choice(made.wanted).whole,
    )
    name = path.name.replace(part, f"{part}-{made.made_at:%Y-%m-%d}", 1)
    kind = "application/gzip" if path.suffix == ".gz" else "application/x-ndjson"
    answer = Response(_pieces(path), mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.content_length = path.stat().st_size
    return answer


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
