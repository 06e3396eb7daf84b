"""The manager's page, its file, and the page of one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import to_user_timezone
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from lms import clock, days
from lms.db import db
from lms.errors import NotFound
from lms.mail.sender import mail_is_set_up
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.models import Person
from lms.plugin import TeamColumn
from lms.teams import services, words
from lms.teams.columns import all_columns, table_columns
from lms.teams.export import stream_rows, write_csv
from lms.teams.person import build_person, nudge_person, thank_person
from lms.teams.query import STATES, TeamQuery

blueprint = Blueprint("teams", __name__, url_prefix="/team", template_folder="templates")


def _query(columns: Sequence[TeamColumn], wish: Mapping[str, str]) -> TeamQuery:
    items = [column.slug for column in columns]
    return TeamQuery.read(wish, services.scopes_for(current_person(), wish), items)


def _get_person(uid: str) -> Person:
    person = db.session.scalar(select(Person).where(Person.uid == uid))
    if person is None:
        raise NotFound("There is nothing here.")
    return person


@blueprint.get("")
@allow(Who.MANAGER, Who.ADMINISTRATOR)
def team() -> str:
    """Show who needs the manager, who is fine, and by person and item why."""
    columns = table_columns(all_columns())
    page = services.build_page(current_person(), _query(columns, request.args), columns)
    here = url_for("teams.team")
    return render_template(
        "teams/team.html",
        team=page,
        at=lambda wish: f"{here}?{urlencode(wish.args())}",
        lines=words.lines(page.rows, page.columns),
        words=words,
        today=days.with_weekday(clock.now()),
        states=STATES,
    )


@blueprint.get("/team.csv")
@allow(Who.MANAGER, Who.ADMINISTRATOR)
def export() -> Response:
    """Hand out the table as a file, all pages of it."""
    columns = table_columns(all_columns())
    visible, rows = stream_rows(current_person(), _query(columns, request.args), columns)
    lines = stream_with_context(write_csv(visible, rows))
    response = Response(lines, mimetype="text/csv")
    day = to_user_timezone(clock.now()).date().isoformat()
    response.headers["Content-Disposition"] = f'attachment; filename="team-{day}.csv"'
    return response


@blueprint.get("/people/<person_uid>")
@allow(Who.ABOVE, Who.ADMINISTRATOR)
def person(person_uid: str) -> str:
    """Show one person's items, and certificate conditions as met or not met."""
    page = build_person(current_person(), _get_person(person_uid))
    return render_template("teams/person.html", page=page, words=words, wording=words.wording())


@blueprint.post("/people/<person_uid>/nudge")
@allow(Who.ABOVE, Who.ADMINISTRATOR)
def nudge(person_uid: str) -> AnyResponse:
    """Remind somebody of what is due."""
    person = _get_person(person_uid)
    if nudge_person(current_person(), person):
        by_mail = mail_is_set_up() and person.identity is not None and person.identity.email
        told = _("Nudged. They will find it on their page, and in their mail.")
        flash(told if by_mail else _("Nudged. They will find it on their page."), "good")
    else:
        flash(_("They have been nudged today already, or nothing is open."), "")
    return _back(person_uid)


@blueprint.post("/people/<person_uid>/thank")
@allow(Who.ABOVE, Who.ADMINISTRATOR)
def thank(person_uid: str) -> AnyResponse:
    """Thank somebody who has done all."""
    if thank_person(current_person(), _get_person(person_uid)):
        flash(_("Said. It reads better from you than from us."), "good")
    else:
        flash(_("You have thanked them for this already."), "")
    return _back(person_uid)


def _back(person_uid: str) -> AnyResponse:
    """Return to the table as it was, or to the person's page."""
    if request.form.get("from") == "team":
        query = _query(table_columns(all_columns()), request.form)
        return redirect(url_for("teams.team", **query.args()))
    return redirect(url_for("teams.person", person_uid=person_uid))
