"""How delivery goes: each record store, what waits for it and what it refused."""

from __future__ import annotations

import datetime as dt

from flask import flash, redirect, render_template, request, url_for
from flask_babel import get_timezone, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lms import audit
from lms.db import row_number
from lms.jobs.queue import wake
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.names import display_names
from xapi.delivery import backfill, queue
from xapi.delivery.report import TargetReport, get_known, get_report, list_parked, report
from xapi.forms import SendSinceForm
from xapi.outbox import stores
from xapi.pages.blueprint import blueprint
from xapi.pages.stores import RemoveForm
from xapi.targets import DELIVER

KNOTS = 12


@blueprint.get("/delivery")
@allow(Who.ADMINISTRATOR)
def delivery() -> str:
    """Show each record store: what waits, what arrived, what it refused."""
    found = report()
    if alone := stores.is_alone():
        # Nothing is delivered to the built-in store then: others come to it.
        found = [one for one in found if one.added or one.waiting or one.parked]
    parked = list_parked()
    return render_template(
        "xapi/delivery.html",
        stores=found,
        alone=alone,
        waiting=sum(one.waiting for one in found),
        refused=sum(one.parked for one in found),
        failing=[one for one in found if one.failures and not one.paused],
        parked=parked,
        labels={one.name: one.label for one in found},
        names=display_names({one.person_id for one in parked if one.person_id is not None}),
        knots=knots,
    )


@blueprint.get("/delivery/<target>")
@allow(Who.ADMINISTRATOR)
def store(target: str) -> str:
    """Show one record store, and what can be done about it."""
    return _page(target, SendSinceForm())


def _page(target: str, form: SendSinceForm) -> str:
    found = get_report(target)
    return render_template(
        "xapi/store.html",
        store=found,
        row=stores.get(target) if found.added else None,
        form=form,
        remove=RemoveForm(formdata=None),
        knots=knots,
    )


@blueprint.post("/delivery/<target>/again")
@allow(Who.ADMINISTRATOR)
def send_again(target: str) -> Response:
    """Queue what a record store refused once more: one statement, or all."""
    one = request.form.get("outbox_id", type=row_number)
    forwarded = request.form.get("forwarded", type=row_number)
    count = queue.send_again(get_known(target), None if one is None else [one], forwarded)
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
def send_since(target: str) -> Response | tuple[str, int]:
    """Send a record store everything since a day, as a new one needs it."""
    form = SendSinceForm()
    if not form.validate():
        return _page(target, form), 422
    since = None
    if form.since.data is not None:
        midnight = dt.datetime.combine(form.since.data, dt.time(), get_timezone() or dt.UTC)
        since = midnight.astimezone(dt.UTC)
    backfill.start(get_known(target), since)
    queue.try_now(target)
    audit.note("xapi.sent_since", f"target/{target}", current_person().id, since=str(since))
    wake(DELIVER)
    return redirect(url_for("xapi.store", target=target))


@blueprint.post("/delivery/<target>/stop")
@allow(Who.ADMINISTRATOR)
def stop_sending(target: str) -> Response:
    """Stop sending what was recorded before."""
    if backfill.stop(get_known(target)):
        audit.note("xapi.stopped_since", f"target/{target}", current_person().id)
        flash(_("Stopped. What was queued already still goes."), "good")
    return redirect(url_for("xapi.store", target=target))


def knots(one: TargetReport) -> int:
    """Return how many of the rope's knots are done by *send everything since*."""
    return 0 if one.past is None else one.past.percent * KNOTS // 100
