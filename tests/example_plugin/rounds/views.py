"""The page. A view declares who may open it, and turns a form into one service call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms.people.access import Who, allow
from lms.people.current import current_person
from rounds.services import rounds_of, walk

blueprint = Blueprint("rounds", __name__, url_prefix="/rounds", template_folder="templates")


@blueprint.get("")
@allow(Who.SIGNED_IN)
def mine() -> str:
    """Show a person's own rounds."""
    return render_template("rounds/mine.html", rounds=rounds_of(current_person().id))


@blueprint.post("")
@allow(Who.SIGNED_IN)
def add() -> Response:
    """Note a round."""
    walk(current_person().id, request.form.get("seen", ""))
    flash("Noted. Thank you for looking.", "good")
    return redirect(url_for("rounds.mine"))


def home_card(person_id: int) -> Mapping[str, Any] | None:
    """Remind those who have not walked yet."""
    if not current_app.config["LMS_ROUNDS_A_MONTH"] or rounds_of(person_id):
        return None
    return {"url": url_for("rounds.mine")}
