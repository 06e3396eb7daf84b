"""Cards: added, written, moved, taken away; pictures put into them."""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _

from courses.authoring import outline, pages, services
from courses.authoring.card_forms import OPTIONS_KEPT_MAX, clean_line, form_for
from courses.authoring.forms import PictureForm, PlainForm
from courses.catalogue.document import Card, Document
from courses.catalogue.models import Course
from courses.catalogue.services import draft_of, get_course
from lms.db import db, keep_so_far
from lms.errors import Invalid
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.written import isolate

NEW_OPTION = "more"


@allow(Who.AUTHOR)
def add_card(slug: str, lesson_id: str) -> Any:
    """Add an empty card of the chosen type and open it."""
    kind = request.form.get("kind", "text")
    card_id = services.add_card(
        get_course(slug),
        lesson_id,
        kind,
        form_for(kind).blank(),
        request.form.get("after"),
        current_person().id,
    )
    return redirect(url_for("authoring.card", slug=slug, card_id=card_id))


@allow(Who.AUTHOR)
def card(slug: str, card_id: str) -> Any:
    """Write a card. The script of the page saves by the same address and asks for JSON."""
    course = get_course(slug)
    document = draft_of(course)
    if request.method == "POST" and outline.find_place(document, card_id) is None:
        return _gone(course)
    found = outline.get_place(document, card_id).card
    if request.method == "GET":
        return _editor(course, document, found, found, outline.fingerprint(found))
    kind = form_for(found.type)
    heading = clean_line(request.form.get("heading"))
    try:
        data = kind.read(request.form, found.data)
    except Invalid as refused:
        if pages.wants_json():
            raise
        mine = Card(card_id, found.type, heading, _as_sent(found))
        base = request.form.get("base", "")
        return _editor(course, document, mine, found, base, refused=refused.message), 422
    base = request.form.get("base", "")
    try:
        document = services.save_card(course, card_id, base, heading, data, current_person().id)
    except services.Edited as edited:
        db.session.rollback()  # nobody waits for the page that shows both
        base = outline.fingerprint(edited.theirs)
        if pages.wants_json():
            return pages.conflict(
                edited.message,
                base,
                "courses/authoring/_card_conflict.html",
                course=course,
                document=draft_of(course),
                card=edited.theirs,
                theirs_text=pages.card_text(edited.theirs),
            )
        mine = Card(card_id, found.type, heading, data)
        return _editor(course, document, mine, edited.theirs, base), 409
    if pages.wants_json():
        keep_so_far()  # before the card is looked through once more
        return jsonify(
            saved=pages.saved_sentence(course),
            base=outline.fingerprint(outline.get_place(document, card_id).card),
            problems=pages.card_problems(document, card_id),
        )
    return _after_save(slug, document, card_id)


def _gone(course: Course) -> Any:
    """Give back what was written on a card that somebody has taken away meanwhile."""
    told = _("Somebody took this card away while you wrote. Your text is still here: copy it.")
    if pages.wants_json():
        return jsonify(error=told), 404
    written = [
        value
        for name, value in request.form.items()
        if name not in ("csrf_token", "base", "do") and value.strip()
    ]
    return render_template(
        "courses/authoring/gone.html", course=course, told=told, written="\n\n".join(written)
    ), 404


def _after_save(slug: str, document: Document, card_id: str) -> Any:
    """Go where the pressed button leads: the next card, one more option, or here again."""
    act = request.form.get("do", "")
    if act == "next":
        cards = [card.id for _lesson, card in document.cards()]
        after = cards[cards.index(card_id) + 1 :]
        if after:
            return redirect(url_for("authoring.card", slug=slug, card_id=after[0]))
        return redirect(url_for("authoring.course", slug=slug))
    if act == "option":
        return redirect(
            url_for("authoring.card", slug=slug, card_id=card_id, more=1, _anchor="options-end")
        )
    flash(_("Saved."), "success")
    return redirect(url_for("authoring.card", slug=slug, card_id=card_id))


def _as_sent(found: Card) -> dict[str, Any]:
    """Return what can be shown of a form that could not be read: its text, the rest as it stood."""
    data = dict(found.data)
    if "text" in data and "text" in request.form:
        data["text"] = request.form["text"]
    return data


def _editor(
    course: Course,
    document: Document,
    shown: Card,
    stands: Card,
    base: str,
    refused: str = "",
) -> str:
    """Return the editor with `shown` in its fields; `stands` is what the draft holds.

    They differ in a conflict, or where what was sent was `refused`, in a sentence.
    """
    place = outline.get_place(document, shown.id)
    kind = form_for(shown.type)
    return render_template(
        "courses/authoring/card.html",
        course=course,
        document=document,
        place=place,
        card=shown,
        refused=refused,
        theirs=None if refused or shown == stands else stands,
        theirs_text=pages.card_text(stands),
        body_sent=request.form.get("body", ""),
        base=base,
        part=kind.template,
        shown=kind.shown(shown.data),
        more=request.args.get(NEW_OPTION) == "1",
        options_max=OPTIONS_KEPT_MAX,
        problems=pages.card_problems(document, shown.id),
        picture=PictureForm(),
        form=PlainForm(),
        saved=pages.saved_sentence(course),
        pages=pages,
        total=sum(len(lesson.cards) for lesson in document.lessons),
    )


@allow(Who.AUTHOR)
def add_picture(slug: str, card_id: str) -> Any:
    """Put a picture at the end of a card's text."""
    course = get_course(slug)
    form = PictureForm()
    if not form.validate_on_submit():
        raise Invalid(pages.first_error(form.errors))
    sent = form.picture.data
    document = services.put_picture(
        course,
        card_id,
        sent.filename or "",
        sent.read(),
        form.alternative.data,
        current_person().id,
    )
    if pages.wants_json():
        keep_so_far()
        found = outline.get_place(document, card_id).card
        return jsonify(
            saved=pages.saved_sentence(course),
            base=outline.fingerprint(found),
            text=str(found.data["text"]),
            problems=pages.card_problems(document, card_id),
        )
    flash(_("The picture stands at the end of the card's text."), "success")
    return redirect(url_for("authoring.card", slug=slug, card_id=card_id))


@allow(Who.AUTHOR)
def move_card(slug: str, card_id: str) -> Any:
    """Move a card one place up or down, over the edge of its lesson into the next."""
    steps = -1 if request.form.get("to") == "up" else 1
    services.change(
        get_course(slug),
        current_person().id,
        lambda document: outline.move_card(document, card_id, steps),
    )
    return redirect(url_for("authoring.course", slug=slug, _anchor=f"card-{card_id}"))


@allow(Who.AUTHOR)
def remove_card(slug: str, card_id: str) -> Any:
    """Ask, then take the card away."""
    course = get_course(slug)
    place = outline.get_place(draft_of(course), card_id)
    form = PlainForm()
    if form.validate_on_submit():
        services.change(
            course, current_person().id, lambda document: outline.remove_card(document, card_id)
        )
        flash(
            _("The card “%(title)s” is taken away.", title=isolate(pages.card_title(place.card))),
            "success",
        )
        return redirect(url_for("authoring.course", slug=slug, _anchor=f"lesson-{place.lesson.id}"))
    return render_template(
        "courses/authoring/remove.html",
        form=form,
        course=course,
        question=_("Take this card away?"),
        text=_("Published versions keep it."),
        parts=[pages.card_title(place.card)],
        language=draft_of(course).language,
        yes=_("Take it away"),
        back=url_for("authoring.card", slug=slug, card_id=card_id),
    )
