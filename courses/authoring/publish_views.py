"""Publishing a draft, and the versions there have been."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from courses.authoring import pages, services
from courses.authoring.forms import PlainForm
from courses.catalogue.document import from_json
from courses.catalogue.services import NotReady, draft_of, get_course, newest_version
from courses.catalogue.services import publish as publish_course
from lms.people.access import Who, allow
from lms.people.current import current_person


@allow(Who.AUTHOR)
def publish(slug: str) -> Any:
    """Show what a new version would change and what is to mend; then publish."""
    course = get_course(slug)
    form = PlainForm()
    status = 200
    if form.validate_on_submit():
        try:
            version = publish_course(course, current_person().id, services.drop_unused_pictures)
        except NotReady:
            status = 422
        else:
            flash(
                _(
                    "Version %(number)d is published. Whoever began on an earlier one finishes on "
                    "it.",
                    number=version.number,
                ),
                "success",
            )
            return redirect(url_for("authoring.course", slug=slug))
    document = draft_of(course)
    before = from_json(newest_version(course).document) if course.published_number else None
    page = render_template(
        "courses/authoring/publish.html",
        course=course,
        document=document,
        changes=services.compare(before, document),
        to_mend=pages.to_mend(course, document),
        number=course.published_number + 1,
        form=form,
        pages=pages,
    )
    return page, status


@allow(Who.AUTHOR)
def history(slug: str) -> Any:
    """List the published versions."""
    course = get_course(slug)
    return render_template(
        "courses/authoring/history.html",
        course=course,
        versions=services.versions(course),
        has_draft=course.draft is not None,
        form=PlainForm(),
    )


@allow(Who.AUTHOR)
def restore(slug: str, number: int) -> Any:
    """Ask, then make an earlier version the draft."""
    course = get_course(slug)
    version = services.get_version(course, number)
    form = PlainForm()
    if form.validate_on_submit():
        services.restore_version(course, version.number, current_person().id)
        flash(
            _(
                "The draft now holds the text of version %(number)d. Learners see no change until "
                "you publish.",
                number=number,
            ),
            "success",
        )
        return redirect(url_for("authoring.course", slug=slug))
    text = _("It becomes the draft. Learners see no change until you publish it as a new version.")
    if course.draft is not None:
        text = _(
            "It takes the place of the present draft, which is lost. Learners see no change until "
            "you publish."
        )
    document = from_json(version.document)
    return render_template(
        "courses/authoring/remove.html",
        form=form,
        course=course,
        question=_("Go back to the text of version %(number)d?", number=number),
        text=text,
        parts=[lesson.title for lesson in document.lessons],
        language=document.language,
        yes=_("Make it the draft"),
        back=url_for("authoring.history", slug=slug),
    )
