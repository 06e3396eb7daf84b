"""The author's pages by address."""

from __future__ import annotations

from flask import Blueprint

from courses.authoring import card_views, course_views, lesson_views, publish_views
from lms.people.current import find_current_person

blueprint = Blueprint(
    "authoring", "courses", url_prefix="/courses/authoring", template_folder="templates"
)


@blueprint.context_processor
def _author() -> dict[str, str]:
    """What the page's script keeps in the browser is kept for this author alone."""
    person = find_current_person()
    return {"author_uid": person.uid if person else ""}


READ = ["GET"]
FORM = ["GET", "POST"]
ACT = ["POST"]
for rule, view, methods in (
    ("/", course_views.courses, READ),
    ("/new", course_views.new_course, FORM),
    ("/<slug>/", course_views.course, READ),
    ("/<slug>/about", course_views.about, FORM),
    ("/<slug>/duplicate", course_views.duplicate, ACT),
    ("/<slug>/put-away", course_views.put_away, FORM),
    ("/<slug>/bring-back", course_views.take_back, ACT),
    ("/<slug>/discard", course_views.discard, FORM),
    ("/<slug>/publish", publish_views.publish, FORM),
    ("/<slug>/history", publish_views.history, READ),
    ("/<slug>/history/<int:number>/restore", publish_views.restore, FORM),
    ("/<slug>/lessons", lesson_views.add_lesson, ACT),
    ("/<slug>/lessons/<lesson_id>", lesson_views.lesson, FORM),
    ("/<slug>/lessons/<lesson_id>/move", lesson_views.move_lesson, ACT),
    ("/<slug>/lessons/<lesson_id>/remove", lesson_views.remove_lesson, FORM),
    ("/<slug>/lessons/<lesson_id>/cards", card_views.add_card, ACT),
    ("/<slug>/cards/<card_id>", card_views.card, FORM),
    ("/<slug>/cards/<card_id>/picture", card_views.add_picture, ACT),
    ("/<slug>/cards/<card_id>/move", card_views.move_card, ACT),
    ("/<slug>/cards/<card_id>/remove", card_views.remove_card, FORM),
):
    blueprint.add_url_rule(rule, view.__name__, view, methods=methods)
