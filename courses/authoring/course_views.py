"""Pages about a whole course: the list, a new one, its outline, what is said of it."""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _

from courses.authoring import outline, pages, services
from courses.authoring.card_forms import FORMS
from courses.authoring.forms import AboutForm, CourseForm, PlainForm
from courses.catalogue.cards import card_types
from courses.catalogue.services import bring_back, discard_draft, draft_of, get_course
from lms.db import db
from lms.errors import Invalid
from lms.people.access import Who, allow
from lms.people.current import current_person


@allow(Who.AUTHOR)
def courses() -> Any:
    """List every course, with what is unpublished."""
    search = request.args.get("q", "").strip()[:100]
    state = request.args.get("state", "")
    rows = services.list_courses(search, state)
    return render_template(
        "courses/authoring/courses.html", rows=rows, search=search, state=state, pages=pages
    )


@allow(Who.AUTHOR)
def new_course() -> Any:
    """Begin a course with its title."""
    form = CourseForm()
    if form.validate_on_submit():
        course = services.start_course(form.title.data, form.summary.data, current_person().id)
        return redirect(url_for("authoring.course", slug=course.slug))
    return render_template("courses/authoring/new.html", form=form), _status(form)


@allow(Who.AUTHOR)
def course(slug: str) -> Any:
    """Show the outline: lessons, cards, and what is to mend before publishing."""
    found = get_course(slug)
    document = draft_of(found)
    to_mend = pages.to_mend(found, document)
    return render_template(
        "courses/authoring/course.html",
        course=found,
        document=document,
        has_draft=found.draft is not None,
        to_mend=to_mend,
        unready={thing.card_id for thing in to_mend},
        kinds=[(name, card_types()[name].label) for name in FORMS if name in card_types()],
        saved_by=services.name_of(found.draft_saved_by),
        pages=pages,
        form=PlainForm(),
    )


@allow(Who.AUTHOR)
def about(slug: str) -> Any:
    """Edit what is said of the course as a whole."""
    found = get_course(slug)
    document = draft_of(found)
    form = AboutForm(obj=None if request.method == "POST" else document)
    form.keep_score(document.pass_score)
    theirs = None
    if request.method == "GET":
        form.base.data = outline.fingerprint(document)
        form.pass_score.data = "" if document.pass_score is None else str(document.pass_score)
    elif form.validate():
        try:
            saved = services.save_about(
                found, form.base.data or "", form.values(), current_person().id
            )
        except services.Edited as edited:
            db.session.rollback()  # nobody waits for the page that shows both
            theirs = edited.theirs
            base = outline.fingerprint(theirs)
            if pages.wants_json():
                template = "courses/authoring/_about_conflict.html"
                return pages.conflict(edited.message, base, template, course=found, theirs=theirs)
            form.base.raw_data = None
            form.base.data = base
        else:
            if pages.wants_json():
                return jsonify(saved=pages.saved_sentence(found), base=outline.fingerprint(saved))
            flash(_("Saved."), "success")
            return redirect(url_for("authoring.course", slug=slug))
    elif pages.wants_json():
        raise Invalid(pages.first_error(form.errors))
    page = render_template(
        "courses/authoring/about.html",
        course=found,
        form=form,
        theirs=theirs,
        saved=pages.saved_sentence(found),
    )
    return page, 409 if theirs is not None else _status(form)


@allow(Who.AUTHOR)
def duplicate(slug: str) -> Any:
    """Make a second course out of this one."""
    made = services.duplicate_course(get_course(slug), current_person().id)
    flash(_("This is the copy. The original is unchanged."), "success")
    return redirect(url_for("authoring.course", slug=made.slug))


@allow(Who.AUTHOR)
def discard(slug: str) -> Any:
    """Ask, then throw the draft away and go back to the published version."""
    found = get_course(slug)
    form = PlainForm()
    if form.validate_on_submit():
        discard_draft(found, current_person().id)
        flash(_("The draft is gone. The published version is what you see now."), "success")
        return redirect(url_for("authoring.course", slug=slug))
    return render_template(
        "courses/authoring/remove.html",
        form=form,
        course=found,
        question=_("Throw the draft away?"),
        text=_(
            "Version %(number)d, which learners see, stays as it is. Everything written since is "
            "lost.",
            number=found.published_number,
        ),
        parts=[],
        language=found.language,
        yes=_("Throw the draft away"),
        back=url_for("authoring.course", slug=slug),
    )


@allow(Who.AUTHOR)
def put_away(slug: str) -> Any:
    """Ask, then take the course off the shelves."""
    found = get_course(slug)
    form = PlainForm()
    if form.validate_on_submit():
        services.put_course_away(found, current_person().id)
        flash(_("The course is put away. Under “Put away” you find it again."), "success")
        return redirect(url_for("authoring.courses"))
    return render_template(
        "courses/authoring/remove.html",
        form=form,
        course=found,
        question=_("Put this course away?"),
        text=_(
            "Learners do not find it any more; what they did in it stays theirs, and whoever is in "
            "the middle may finish. You can bring it back at any time."
        ),
        parts=[],
        language=found.language,
        yes=_("Put it away"),
        back=url_for("authoring.course", slug=slug),
    )


@allow(Who.AUTHOR)
def take_back(slug: str) -> Any:
    """Put the course back where it stood."""
    bring_back(get_course(slug), current_person().id)
    flash(_("The course is back where it was."), "success")
    return redirect(url_for("authoring.course", slug=slug))


def _status(form: Any) -> int:
    return 422 if form.errors else 200
