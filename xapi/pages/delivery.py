"""How delivery goes: each record store, what waits for it and what it refused."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from lms import audit
from lms.days import midnight
from lms.db import row_number
from lms.jobs.queue import wake
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.names import display_names
from xapi.delivery import queue
from xapi.delivery.report import get_known, list_parked, report
from xapi.forms import SendSinceForm
from xapi.pages.blueprint import blueprint
from xapi.targets import DELIVER


@blueprint.get("/delivery")
@allow(Who.ADMINISTRATOR)
def delivery() -> str:
    """Show each record store: what waits, what arrived, what it refused."""
    stores = report()
    parked = list_parked()
    return render_template(
        "xapi/delivery.html",
        stores=stores,
        waiting=sum(one.waiting for one in stores),
        refused=sum(one.parked for one in stores),
        failing=[one for one in stores if one.failures],
        parked=parked,
        names=display_names({one.person_id for one in parked}),
        form=SendSinceForm(),
    )


@blueprint.post("/delivery/<target>/again")
@allow(Who.ADMINISTRATOR)
def send_again(target: str) -> Response:
    """Queue what a record store refused once more: one statement, or all."""
    one = request.form.get("outbox_id", type=row_number)
    count = queue.send_again(get_known(target), None if one is None else [one])
    audit.note("xapi.sent_again", f"target/{target}", current_person().id, count=count)
    wake(DELIVER)
    flash(
        ngettext("%(num)s statement is sent again.", "%(num)s statements are sent again.", count),
        "good",
    )
    return redirect(url_for("xapi.delivery"))


@blueprint.post("/delivery/<target>/now")
@allow(Who.ADMINISTRATOR)
def try_now(target: str) -> Response:
    """Try a record store now, without waiting for its turn."""
    queue.try_now(get_known(target))
    wake(DELIVER)
    flash(_("It is tried now. Look again in a few seconds."))
    return redirect(url_for("xapi.delivery"))


@blueprint.post("/delivery/<target>/since")
@allow(Who.ADMINISTRATOR)
def send_since(target: str) -> str | Response:
    """Send a record store everything since a day, as a new one needs it."""
    form = SendSinceForm()
    if not form.validate():
        flash(
            _("That is not a day. Write it as in the field, and nothing is sent until then."), "bad"
        )
        return redirect(url_for("xapi.delivery"))
    since = None if form.since.data is None else midnight(form.since.data)
    queue.send_since(get_known(target), since)
    audit.note("xapi.sent_since", f"target/{target}", current_person().id, since=str(since))
    wake(DELIVER)
    flash(_("It is on its way. The number that waits shows how far it is."), "good")
    return redirect(url_for("xapi.delivery"))
