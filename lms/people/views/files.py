"""Importing people in the browser: upload, look at what would change, take it over."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from lms.db import db
from lms.errors import DomainError
from lms.number_words import counted
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.exchange.apply import apply_file, plan_file
from lms.people.exchange.files import MOST_BYTES, forget_file, get_file, keep_file
from lms.people.forms import FileForm
from lms.people.security import is_fresh
from lms.people.views.admin import NOT_FRESH

blueprint = Blueprint("people_files", "lms.people", url_prefix="/people/import")
MOST_SHOWN = 100


@blueprint.route("/", methods=["GET", "POST"])
@allow(Who.ADMINISTRATOR)
def upload() -> Any:
    """Take a file in, to be looked at; nothing is changed yet."""
    form = FileForm()
    status = 200
    if form.validate_on_submit():
        try:
            kept = keep_file(
                form.file.data.read(MOST_BYTES + 1), form.file.data.filename or "", current_person()
            )
        except DomainError as error:
            form.file.errors = [error.message]
            status = error.status
        else:
            return redirect(url_for("people_files.preview", file_uid=kept.uid))
    return render_template("people/upload.html", form=form), status


@blueprint.get("/<file_uid>")
@allow(Who.ADMINISTRATOR)
def preview(file_uid: str) -> Any:
    """Show what the file would change, or which lines are wrong and why."""
    kept = get_file(file_uid, current_person())
    return render_template(
        "people/preview.html", kept=kept, plan=plan_file(kept.content), most=MOST_SHOWN
    )


@blueprint.post("/<file_uid>")
@allow(Who.ADMINISTRATOR)
def take_over(file_uid: str) -> Any:
    """Do what was looked at, all of it; where the company has changed since, look again."""
    kept = get_file(file_uid, current_person())
    if not is_fresh():
        flash(NOT_FRESH, "warn")  # the file waits
        return redirect(url_for("people_files.preview", file_uid=file_uid))
    try:
        plan = apply_file(kept.content, current_person(), request.form.get("digest", ""))
    except DomainError as error:
        db.session.rollback()
        flash(error.message, "warn")
        return redirect(url_for("people_files.preview", file_uid=file_uid))
    forget_file(kept)
    done = len(list(plan.changes()))
    flash(
        counted(
            "Done: one person added or changed.", "Done: %(count)s people added or changed.", done
        ),
        "good",
    )
    return redirect(url_for("people_admin.everybody"))
