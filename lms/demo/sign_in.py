"""One-click sign-in, for the demo company only.

`lms.demo.wsgi` registers it; `lms.app` never imports this package, so that a production app has no
such address (a test holds this). The link carries a random token made when the demo was built:
on a local network (`LAN=1`) the address alone opens nothing.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from flask import Blueprint, Response, current_app, redirect, render_template, url_for
from sqlalchemy import select

from lms.db import db, writes
from lms.errors import ForMachines, NotFound
from lms.people.access import Who, allow
from lms.people.models import Identity
from lms.people.security import enter as enter_as

blueprint = Blueprint("demo", __name__, url_prefix="/demo", template_folder="templates")


@dataclass(frozen=True, slots=True)
class Part:
    """One of the people whom a visitor of the demo can be."""

    role: str
    person_uid: str
    name: str
    says: str


def check_token(token: str) -> None:
    """Raise NotFound unless `token` is the demo's own."""
    if not hmac.compare_digest(token.encode(), current_app.config["LMS_DEMO_TOKEN"].encode()):
        raise NotFound(
            ForMachines("There is nothing here. Use the address that `make demo` printed.")
        )


@blueprint.get("/<token>")
@allow(Who.PUBLIC, reason="demo only; opens with the token that the demo printed")
def welcome(token: str) -> str:
    """Show the four people whom a visitor can be."""
    check_token(token)
    return render_template(
        "demo/welcome.html", token=token, cast=current_app.config["LMS_DEMO_CAST"]
    )


@blueprint.get("/<token>/<role>")
@allow(Who.PUBLIC, reason="demo only; opens with the token that the demo printed")
@writes  # who signs in is noted
def enter(token: str, role: str) -> Response:
    """Sign in as one of the cast, and open their first page."""
    check_token(token)
    cast: dict[str, Part] = {part.role: part for part in current_app.config["LMS_DEMO_CAST"]}
    if role not in cast:
        raise NotFound(
            ForMachines("The demo has a learner, an author, a manager and an administrator.")
        )
    identity = db.session.scalar(
        select(Identity).where(Identity.person.has(uid=cast[role].person_uid))
    )
    if identity is None:
        raise NotFound(
            ForMachines("This person was erased. Build the demo again with `ropes demo --fresh`.")
        )
    enter_as(identity, "link")
    response = redirect(url_for("web.home"))
    assert isinstance(response, Response)  # noqa: S101 - told to the type checker
    return response
