"""The administrator's pages of join links, and the QR code to print."""

from __future__ import annotations

import io
from typing import Any

import qrcode
import qrcode.image.svg
from flask import Blueprint, Response, current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from lms.db import db
from lms.errors import DomainError, Invalid, NotAllowed, NotFound
from lms.people import joining, services
from lms.people.access import Who, allow
from lms.people.codes import find_identity
from lms.people.current import current_person
from lms.people.forms import LinkForm
from lms.people.models import JoinLink, Unit
from lms.people.names import names
from lms.people.security import is_fresh
from lms.people.views.admin import unit_choices

blueprint = Blueprint("people_links", "lms.people", url_prefix="/people/links")
MOST_SHOWN = 100


@blueprint.route("/", methods=["GET", "POST"])
@allow(Who.ADMINISTRATOR)
def links() -> Any:
    """Show the links that are open, and make another."""
    form = LinkForm()
    form.unit.choices = unit_choices()
    status = 200
    if form.validate_on_submit():
        try:
            made = _make(form)
        except DomainError as error:
            form.most_uses.errors = [error.message]
            status = 422
        else:
            return redirect(url_for("people_links.link", link_uid=made.uid))
    rows = db.session.execute(
        select(JoinLink, Unit.name)
        .outerjoin(Unit, Unit.id == JoinLink.unit_id)
        .order_by(JoinLink.id.desc())
        .limit(MOST_SHOWN)
    ).all()
    named = names({link.person_id for link, _unit in rows if link.person_id})
    return (
        render_template(
            "people/links.html", form=form, rows=rows, names=named, is_open=joining.is_open
        ),
        status,
    )


def _make(form: LinkForm) -> JoinLink:
    manager = None
    if form.manager.data:
        above = find_identity(form.manager.data)
        if above is None:
            raise Invalid("Nobody active here is known as “%(key)s”.", key=form.manager.data)
        manager = above.person
    return joining.make_link(
        current_person(),
        form.days.data,
        form.most_uses.data,
        services.get_unit(form.unit.data) if form.unit.data else None,
        manager,
        (form.job_role.data or "").strip(),
    )


def _get(uid: str) -> JoinLink:
    found = db.session.scalar(select(JoinLink).where(JoinLink.uid == uid))
    if found is None:
        raise NotFound("There is no such link.")
    return found


def _address(link: JoinLink) -> str:
    base: str = current_app.config["LMS_BASE_URL"]
    return f"{base}/join/{joining.token_of(link)}"


def _is_hidden(link: JoinLink) -> bool:
    """Whether the address is not shown: it lets in somebody, and who asks may not be who it was."""
    return link.person_id is not None and not is_fresh()


@blueprint.get("/<link_uid>")
@allow(Who.ADMINISTRATOR)
def link(link_uid: str) -> Any:
    """Show one link with its QR code, to hand out or print."""
    found = _get(link_uid)
    named = names({found.person_id}) if found.person_id else {}
    return render_template(
        "people/link.html",
        link=found,
        address=_address(found),
        open=joining.is_open(found),
        hidden=_is_hidden(found),
        whom=named.get(found.person_id) if found.person_id else None,
        unit=db.session.get(Unit, found.unit_id) if found.unit_id else None,
    )


@blueprint.get("/<link_uid>/qr.svg")
@allow(Who.ADMINISTRATOR)
def qr(link_uid: str) -> Response:
    """The QR code as a picture."""
    found = _get(link_uid)
    if _is_hidden(found):
        raise NotAllowed("You signed in a while ago. Sign out and in again, then come back.")
    picture = qrcode.make(
        _address(found), image_factory=qrcode.image.svg.SvgPathFillImage, border=4
    )
    out = io.BytesIO()
    picture.save(out)
    response = Response(out.getvalue(), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/<link_uid>/close")
@allow(Who.ADMINISTRATOR)
def close(link_uid: str) -> Any:
    """Let nobody else in by this link."""
    joining.close_link(_get(link_uid), current_person())
    flash(_("Closed. Nobody else comes in by it."), "good")
    return redirect(url_for("people_links.links"))
