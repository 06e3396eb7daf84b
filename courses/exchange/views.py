"""Courses in and out in the browser, as a zip file of readable text."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired

from courses.catalogue.naming import free_slug
from courses.catalogue.services import draft_of, get_course, publishing_problems
from courses.exchange.course_text import parse_course
from courses.exchange.folder import read_zip, write_zip
from courses.exchange.services import export_course, import_course
from lms.errors import DomainError, Invalid
from lms.forms import Form
from lms.people.access import Who, allow
from lms.people.current import current_person

blueprint = Blueprint(
    "courses_exchange", "courses", url_prefix="/courses/authoring", template_folder="templates"
)


class ImportForm(Form):
    """A zip file that somebody exported, here or elsewhere, or packed by hand."""

    file = FileField(
        _l("Zip file of the course"),
        description=_l("As exported here, or a folder with course.md packed by hand."),
        validators=[FileRequired(_l("Choose a zip file first."))],
    )


@blueprint.route("/import", methods=["GET", "POST"])
@allow(Who.AUTHOR)
def import_file() -> Any:
    """Take a course in as a new course with a draft; nothing is published by it."""
    form = ImportForm()
    if form.validate_on_submit():
        try:
            files = read_zip(form.file.data.read())
            slug = free_slug(parse_course(files).document.title)
            imported = import_course(slug, files, current_person().id, as_draft=True)
        except DomainError as refused:
            form.file.errors = [refused.message]
        else:
            flash(_("The course is here as a draft. Read it, then publish it."), "success")
            return redirect(url_for("authoring.course", slug=imported.course.slug))
    page = render_template("courses/authoring/import.html", form=form)
    return page, 422 if form.errors or form.file.errors else 200


@blueprint.get("/<slug>/export")
@allow(Who.AUTHOR)
def export_file(slug: str) -> Response:
    """Answer with the draft as a zip file; the published text where the draft is not whole yet."""
    course = get_course(slug)
    whole = not publishing_problems(draft_of(course))
    if not whole and not course.published_number:
        raise Invalid(
            "This draft cannot be exported yet: mend what the course's page lists, then try again."
        )
    response = Response(write_zip(export_course(course, draft=whole)), mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{course.slug}.zip"'
    return response
