"""The pages around the player: all courses, one course, one path, pictures, a preview."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from courses.blocks.content import get_content, preview_content
from courses.blocks.markdown import render
from courses.catalogue.media import CONTENT_TYPES, read_picture
from courses.catalogue.services import draft_of, get_course
from courses.paths.enrolment import enrol, find_enrolments
from courses.paths.models import Path
from courses.paths.progress import lessons_behind, path_standings, standings
from courses.paths.services import get_path
from courses.player.blueprint import blueprint
from courses.player.next_step import newest_version_id, next_lesson_of, url_of
from courses.player.screen import Given, screen
from courses.progress.services import attempts_count
from lms.db import db
from lms.errors import Invalid, NotFound
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.web.assets import assets
from lms.web.security import allow_framing

YEAR_SECONDS = 365 * 24 * 3600


@blueprint.get("/")
@allow(Who.SIGNED_IN)
def catalogue() -> str:
    """Show the person's paths, then every other course."""
    person = current_person()
    enrolments = {path.id: enrolment for enrolment, path in find_enrolments(person.id)}
    paths = list(db.session.scalars(select(Path).order_by(Path.position, Path.id)))
    ways = path_standings(person.id, paths)
    mine = [way for way in ways if way.path.id in enrolments]
    asked = {step.course.id for way in mine for step in way.steps}
    others = [one for one in standings(person.id).values() if one.course.id not in asked]
    return render_template(
        "courses/catalogue.html",
        mine=mine,
        enrolments=enrolments,
        other_paths=[way for way in ways if way.path.id not in enrolments],
        others=others,
    )


@blueprint.get("/<slug>/")
@allow(Who.SIGNED_IN)
def course(slug: str) -> str:
    """Show one course: what it is for, its lessons, and where the person is in it."""
    person = current_person()
    found = get_course(slug)
    standing = standings(person.id, [found.id]).get(found.id)
    if standing is None:
        raise NotFound("There is no such course here.")
    attempt = standing.attempt
    version_id = attempt.version_id if attempt else newest_version_id(standing)
    content = get_content(version_id)
    behind = lessons_behind(content, attempt) if attempt else 0
    return render_template(
        "courses/course.html",
        standing=standing,
        course=found,
        content=content,
        document=content.document,
        attempt=attempt,
        behind=behind,
        tries=attempts_count(person.id, found.id) if attempt else 0,
        next=next_lesson_of(standing),
        continue_url=url_of(standing),
        newer=standing.edition.number < found.published_number,
    )


@blueprint.get("/paths/<slug>")
@allow(Who.SIGNED_IN)
def path(slug: str) -> str:
    """Show one path: its use case, its courses, and how far the person is."""
    person = current_person()
    found = get_path(slug)
    (way,) = path_standings(person.id, [found])
    enrolment = next((e for e, p in find_enrolments(person.id) if p.id == found.id), None)
    return render_template(
        "courses/path.html",
        path=found,
        way=way,
        enrolment=enrolment,
        description=render(found.description, {}),
        continue_url=url_of(way.next) if way.next else None,
    )


@blueprint.post("/paths/<slug>/join")
@allow(Who.SIGNED_IN)
def join_path(slug: str) -> ResponseReturnValue:
    """Take a path of one's own accord."""
    enrol(get_path(slug), [current_person().id], tell=False)
    return redirect(url_for("courses.path", slug=slug), 303)


@blueprint.get("/media/<sha256>.<extension>")
@allow(Who.SIGNED_IN)
def picture(sha256: str, extension: str) -> Response:
    """Answer with a picture; it never changes, so a phone keeps it for good."""
    row, content = read_picture(sha256)
    if row.extension != extension:
        raise NotFound("This picture is not here any more.")
    response = Response(content, mimetype=CONTENT_TYPES[row.extension])
    response.cache_control.private = True
    response.cache_control.max_age = YEAR_SECONDS
    response.cache_control.immutable = True
    return response


@blueprint.get("/worker.js")
@allow(Who.PUBLIC, reason="a script; a browser renews it on its own, also when nobody is signed in")
def worker() -> Response:
    """Answer with the service worker, whose address decides that it may serve /courses/."""
    response = Response(assets().body("courses/worker.js", None), mimetype="text/javascript")
    response.cache_control.no_cache = True
    return response


@blueprint.get("/preview/<slug>/")
@blueprint.get("/preview/<slug>/<card_id>")
@allow(Who.AUTHOR)
def preview(slug: str, card_id: str = "") -> str:
    """Show an author a card of the draft in the real player; nothing is kept.

    `?response=` shows the feedback to an answer. Our own pages may frame it.
    """
    found = get_course(slug)
    content = preview_content(slug, draft_of(found))
    if not content.order:
        raise NotFound("This course has no card yet.")
    card_id = card_id or content.order[0]
    if card_id not in content.cards:
        raise NotFound("There is no such card in this draft.")
    response = sorted(set(request.args.getlist("response")))
    given, error = None, ""
    if request.args.get("act") == "answer" or response:
        try:
            score = content.kinds[card_id].score(content.cards[card_id].data, response)
            given = Given(response, score.right, score.scaled)
        except Invalid as raised:
            error = raised.message
    shown = screen(content, card_id, current_person(), answer=given, error=error)
    place = content.order.index(card_id)
    following = content.order[place + 1] if place + 1 < len(content.order) else content.order[0]
    allow_framing()
    return render_template(
        "courses/card.html",
        **shown
        | {
            "url": url_for("courses.preview", slug=slug, card_id=card_id),
            "preview_next": url_for("courses.preview", slug=slug, card_id=following),
            "back_url": url_for(
                "courses.preview", slug=slug, card_id=content.order[max(0, place - 1)]
            ),
            "close_url": "",
        },
    )
