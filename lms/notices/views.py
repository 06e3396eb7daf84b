"""What a person was told, on a page of their own; and which of it comes by mail."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from lms.db import writes
from lms.notices import services, stops
from lms.notices.words import filled, people_in, subject_on_page
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.names import display_names

blueprint = Blueprint("notices", __name__, template_folder="templates")
# What a mail provider posts on behalf of its user: no browser of ours, no token of a form (RFC 8058).
one_click = Blueprint("notices_one_click", __name__)
BY_ITS_LINK = "the link in the mail is signed, and can do nothing but stop one kind of mail"


@blueprint.get("/notices")
@allow(Who.SIGNED_IN)
@writes
def news() -> str:
    """Show the person's newest notices; seen here, they are read."""
    person_id = current_person().id
    found = services.newest(person_id)
    kinds = services.kinds()
    names = display_names(people_in(found))
    lines = [
        {
            "subject": subject_on_page(kinds[notice.kind], filled(notice, names)),
            "at": notice.created_at,
            "path": notice.data.get("path") or notice.data.get("link"),
            "new": notice.read_at is None,
        }
        for notice in found
    ]
    page = render_template("notices/news.html", lines=lines)
    services.mark_read(person_id)
    return page


@blueprint.route("/notices/mail", methods=["GET", "POST"])
@allow(Who.SIGNED_IN)
def mail() -> Any:
    """Choose which kinds come by mail."""
    person_id = current_person().id
    if request.method == "POST":
        stops.choose(person_id, frozenset(request.form.getlist("kind")))
        flash(_("Saved."), "good")
        return redirect(url_for("notices.mail"), 303)
    return render_template(
        "notices/mail.html", kinds=stops.stoppable(), stopped=stops.stopped_kinds(person_id)
    )


@blueprint.get(f"{stops.STOP_PATH}/<token>")
@allow(Who.PUBLIC, reason=BY_ITS_LINK)
def stopping(token: str) -> str:
    """Ask before stopping: programs that look at links in mails press no button."""
    person, kind = stops.read_token(token)
    done = stops.is_stopped(person.id, kind)
    return render_template("notices/stop.html", kind=kind, token=token, done=done)


@blueprint.post(f"{stops.STOP_PATH}/<token>/now")
@allow(Who.PUBLIC, reason=BY_ITS_LINK)
def stop_now(token: str) -> Any:
    """Stop, from the page."""
    person, kind = stops.read_token(token)
    stops.stop(person.id, kind)
    return redirect(url_for("notices.stopping", token=token), 303)


CLICK_MOST_BYTES = 4096  # a mail program sends a dozen


@one_click.post(f"{stops.STOP_PATH}/<token>")
@allow(Who.MACHINE, reason=BY_ITS_LINK)
def stop_by_click(token: str) -> tuple[str, int]:
    """Stop, asked by the mail program (RFC 8058, 3.2)."""
    request.max_content_length = CLICK_MOST_BYTES
    request.get_data(cache=False)  # to its end, before anything is asked of the database
    person, kind = stops.read_token(token)
    stops.stop(person.id, kind)
    return "", 204
