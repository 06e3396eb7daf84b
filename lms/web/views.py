"""The shell's own pages: the first page, settings, static files, and health for machines."""

from __future__ import annotations

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import refresh
from werkzeug.wrappers import Response as AnyResponse

from lms import clock, days
from lms.config import LANGUAGES
from lms.people.access import Who, allow
from lms.people.current import current_person, find_current_person
from lms.web import assets
from lms.web.health import report
from lms.web.home import build_home
from lms.web.i18n import choose_language
from lms.web.navigation import settings_links, sign_out_url

blueprint = Blueprint("web", __name__, template_folder="templates")


@blueprint.get("/")
@allow(Who.SIGNED_IN)
def home() -> str:
    """Show the person's first page."""
    today = days.with_weekday(clock.now())
    return render_template("web/home.html", home=build_home(current_person()), today=today)


@blueprint.get("/settings")
@allow(Who.SIGNED_IN)
def settings() -> str:
    """Show what a person may choose for themself."""
    return render_template(
        "web/settings.html",
        languages=LANGUAGES,
        links=settings_links(),
        sign_out=sign_out_url(),
    )


@blueprint.post("/language")
@allow(Who.PUBLIC, reason="those who cannot read the sign-in page need it most")
def language() -> AnyResponse:
    """Choose the language: kept with the person, or in the session of somebody not signed in."""
    choose_language(request.form.get("language", ""))
    refresh()
    if find_current_person() is None:
        return redirect("/")
    flash(_("Saved."), "good")
    return redirect(url_for("web.settings"))


@blueprint.get("/static/<version>/<path:name>")
@allow(Who.PUBLIC, reason="style sheets and scripts of the pages; nothing in them is about people")
def static(version: str, name: str) -> Response:
    """Answer with a static file of any part."""
    return assets.serve(version, name)


@blueprint.get("/healthz")
@allow(Who.PUBLIC, reason="load balancers ask it; it says nothing about people")
def healthz() -> Response:
    """Answer 200 when web, database, worker and migrations are well, 503 and what is wrong else."""
    found = report()
    response = jsonify(found)
    response.status_code = 200 if found["status"] == "ok" else 503
    return response
