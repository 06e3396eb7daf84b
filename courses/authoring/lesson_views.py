"""Lessons: added, renamed, moved, taken away."""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _

from courses.authoring import outline, pages, services
from courses.authoring.forms import LessonForm, PlainForm
from courses.catalogue.services import draft_of, get_course
from lms.db import db
from lms.errors import Invalid
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.written import fill, in_language, isolate


@allow(Who.AUTHOR)
def add_lesson(slug: str) -> Any:
    """Add a lesson at the end."""
    form = LessonForm()
    if not form.title.validate(form):
        raise Invalid(pages.first_error({"title": form.title.errors}))
    lesson_id = services.add_lesson(get_course(slug), form.title.data, current_person().id)
    return _to_outline(slug, lesson_id)


@allow(Who.AUTHOR)
def lesson(slug: str, lesson_id: str) -> Any:
    """Edit a lesson's title and length."""
    course = get_course(slug)
    document = draft_of(course)
    found = outline.get_lesson(document, lesson_id)
    form = LessonForm(obj=None if request.method == "POST" else found)
    theirs = None
    if request.method == "GET":
        form.base.data = outline.fingerprint(found)
    elif form.validate():
        try:
            document = services.save_lesson(
                course,
                lesson_id,
                form.base.data or "",
                form.title.data,
                form.minutes.data,
                current_person().id,
            )
        except services.Edited as edited:
            db.session.rollback()  # nobody waits for the page that shows both
            if pages.wants_json():
                raise
            theirs = edited.theirs
            form.base.raw_data = None
            form.base.data = outline.fingerprint(theirs)
        else:
            if pages.wants_json():
                base = outline.fingerprint(outline.get_lesson(document, lesson_id))
                return jsonify(saved=pages.saved_sentence(course), base=base)
            return _to_outline(slug, lesson_id)
    elif pages.wants_json():
        raise Invalid(pages.first_error(form.errors))
    page = render_template(
        "courses/authoring/lesson.html",
        course=course,
        document=document,
        lesson=found,
        form=form,
        theirs=theirs,
        saved=pages.saved_sentence(course),
    )
    return page, 409 if theirs is not None else 422 if form.errors else 200


@allow(Who.AUTHOR)
def move_lesson(slug: str, lesson_id: str) -> Any:
    """Move a lesson one place up or down."""
    steps = -1 if request.form.get("to") == "up" else 1
    services.change(
        get_course(slug),
        current_person().id,
        lambda document: outline.move_lesson(document, lesson_id, steps),
    )
    return _to_outline(slug, lesson_id)


@allow(Who.AUTHOR)
def remove_lesson(slug: str, lesson_id: str) -> Any:
    """Ask, then take the lesson away with its cards."""
    course = get_course(slug)
    document = draft_of(course)
    found = outline.get_lesson(document, lesson_id)
    form = PlainForm()
    if form.validate_on_submit():
        services.change(
            course,
            current_person().id,
            lambda draft: outline.remove_lesson(draft, lesson_id),
        )
        flash(_("The lesson “%(title)s” is taken away.", title=isolate(found.title)), "success")
        return redirect(url_for("authoring.course", slug=slug))
    return render_template(
        "courses/authoring/remove.html",
        form=form,
        course=course,
        question=fill(
            _("Take the lesson “%(title)s” away?"),
            title=in_language(found.title, document.language),
        ),
        text=_("Its cards go with it. Published versions keep theirs."),
        parts=[pages.card_title(card) for card in found.cards],
        language=document.language,
        yes=_("Take it away"),
        back=url_for("authoring.course", slug=slug),
    )


def _to_outline(slug: str, lesson_id: str) -> Any:
    return redirect(url_for("authoring.course", slug=slug, _anchor=f"lesson-{lesson_id}"))
