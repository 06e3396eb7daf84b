"""The public page on which anybody may check a certificate, by its code."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from certificates import codes
from certificates.verification import Status, UnknownCode, check
from lms.db import writes
from lms.errors import TooMany
from lms.people import tries
from lms.people.access import Who, allow

blueprint = Blueprint(
    "certificates_verify", __name__, url_prefix="/certificates/verify", template_folder="templates"
)
# In a quarter of an hour, from one address: more than a recruiter needs, less than a harvester.
MOST_LOOKUPS = 120


@blueprint.get("")
@allow(Who.PUBLIC, reason="whoever holds a paper certificate may check it")
def ask() -> str | AnyResponse:
    """Ask for a code; a code that was typed leads to its page."""
    typed = request.args.get("code", "")
    code = codes.normalise(typed)
    if code is not None:
        return redirect(url_for("certificates_verify.show", code=code))
    return render_template("certificates/verify_ask.html", typed=typed[:80])


@blueprint.get("/<code>")
@allow(Who.PUBLIC, reason="the code on the paper, 140 random bits, is the right to see its lines")
@writes  # look-ups are counted, so that nobody tries codes by the million
def show(code: str) -> AnyResponse:
    """Show every line of the paper and what it is worth today; the same 404 for any other code."""
    if not tries.allowed("certificates.verify", request.remote_addr or "", MOST_LOOKUPS):
        raise TooMany("Many certificates were checked from here. Try again in a quarter hour.")
    try:
        found = check(code)
    except UnknownCode:
        # Answered here, not raised: an error that is raised takes back the count of look-ups.
        response = make_response(render_template("certificates/verify_unknown.html"), 404)
    else:
        response = make_response(
            render_template("certificates/verify.html", found=found, Status=Status)
        )
    # The address is the secret: it stays out of caches, of search engines, of other sites' logs.
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
