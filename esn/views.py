"""The administrator's pages: which networks are connected, and how they do."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask import Response as FileResponse
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from esn.connectors import services
from esn.connectors.contract import get_kind, kinds
from esn.connectors.matrix.registration import registration, settings_from
from esn.connectors.status import Health, groups_of, status_of, statuses
from esn.forms import ConnectorForm, LinkForm, MatrixForm
from esn.ledger.accounts import CARRY_OVER, link_by_hand
from esn.ledger.backfill import read_again
from esn.ledger.groups import change_group
from esn.ledger.intake import BACKFILL, NORMALISE
from esn.models import Connector
from lms import audit
from lms.db import keep_so_far
from lms.errors import DomainError, NotFound
from lms.jobs.queue import wake
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.written import isolate

blueprint = Blueprint(
    "esn", __name__, url_prefix="/esn", template_folder="templates", static_folder="static"
)

FORMS: dict[str, type[ConnectorForm]] = {"matrix": MatrixForm}


@blueprint.get("/connectors")
@allow(Who.ADMINISTRATOR)
def connectors() -> str:
    """Show every connected network and how it does."""
    found = statuses()
    return render_template(
        "esn/connectors.html",
        statuses=found,
        in_need=[one for one in found if one.health is Health.NEEDS_YOU],
        kinds=kinds(),
    )


@blueprint.get("/connectors/new/<kind>")
@allow(Who.ADMINISTRATOR)
def new(kind: str) -> str:
    """Ask what is needed to connect a network of one kind."""
    return render_template("esn/new.html", kind=get_kind(kind), form=_form(kind))


@blueprint.post("/connectors/new/<kind>")
@allow(Who.ADMINISTRATOR)
def add(kind: str) -> str | Response | tuple[str, int]:
    """Connect a network; the secret is on the answer, this once."""
    form = _form(kind)
    problem = ""
    if form.validate():
        try:
            settings = (
                settings_from(form.homeserver.data, form.server_name.data, form.match.data)
                if isinstance(form, MatrixForm)
                else {}
            )
            connector, secret = services.add_connector(
                kind, form.label.data.strip(), current_person().id, **settings
            )
        except DomainError as error:
            problem = error.message
        else:
            if kind == "matrix":
                return redirect(url_for("esn.connector", connector_uid=connector.uid))
            return _show_secret(connector, secret)
    page = render_template("esn/new.html", kind=get_kind(kind), form=form, problem=problem)
    return page, 422


@blueprint.get("/connectors/<connector_uid>")
@allow(Who.ADMINISTRATOR)
def connector(connector_uid: str) -> str:
    """Show one network: what came, who is known, which groups count."""
    found = services.get_connector(connector_uid)
    return render_template(
        "esn/connector.html",
        status=status_of(found),
        groups=groups_of(found),
        group_kinds=current_app.config["LMS_ESN_GROUP_KINDS"],
        form=LinkForm(),
    )


@blueprint.post("/connectors/<connector_uid>/secret")
@allow(Who.ADMINISTRATOR)
def rotate(connector_uid: str) -> str | Response:
    """Give a new secret; the old one stays valid for a week."""
    found = services.get_connector(connector_uid)
    secret = services.rotate_secret(found, current_person().id)
    if found.kind == "matrix":
        flash(_("There is a new token. Make the registration file again, within a week."), "good")
        return _back(found)
    return _show_secret(found, secret)


@blueprint.post("/connectors/<connector_uid>/registration")
@allow(Who.ADMINISTRATOR)
def registration_file(connector_uid: str) -> FileResponse:
    """Hand out the file for the homeserver; it holds secrets, hence a POST and an audit line."""
    found = services.get_connector(connector_uid)
    if found.kind != "matrix":
        raise NotFound("Only a Matrix homeserver wants a registration file.")
    text = registration(found)
    audit.note("esn.registration", f"connector/{found.uid}", current_person().id)
    answer = FileResponse(text, mimetype="application/yaml")
    answer.headers["Content-Disposition"] = 'attachment; filename="ropes.yaml"'
    return answer


@blueprint.post("/connectors/<connector_uid>/switch")
@allow(Who.ADMINISTRATOR)
def switch(connector_uid: str) -> Response:
    """Switch a connector on or off."""
    found = services.get_connector(connector_uid)
    services.switch(found, request.form.get("on") == "yes", current_person().id)
    flash(
        _("It is switched on.") if found.active else _("It is switched off. What is there stays."),
        "good",
    )
    return _back(found)


@blueprint.post("/connectors/<connector_uid>/read")
@allow(Who.ADMINISTRATOR)
def read_past(connector_uid: str) -> Response:
    """Read the network's past anew, as far as it is kept."""
    found = services.get_connector(connector_uid)
    read_again(found)
    audit.note("esn.read_again", f"connector/{found.uid}", current_person().id)
    wake(BACKFILL)
    flash(_("The past is read again. Nothing counts twice."), "good")
    return _back(found)


@blueprint.post("/connectors/<connector_uid>/unreadable")
@allow(Who.ADMINISTRATOR)
def unreadable(connector_uid: str) -> Response:
    """Try the deliveries that could not be read once more, or throw them away."""
    found = services.get_connector(connector_uid)
    again = request.form.get("what") == "again"
    count = services.settle_unreadable(found, again, current_person().id)
    if again:
        wake(NORMALISE)
        flash(ngettext("%(num)s delivery is read again.", "%(num)s are read again.", count), "good")
    else:
        flash(ngettext("%(num)s was thrown away.", "%(num)s were thrown away.", count), "good")
    return _back(found)


@blueprint.post("/connectors/<connector_uid>/link")
@allow(Who.ADMINISTRATOR)
def link(connector_uid: str) -> Response:
    """Link an account with a person by hand."""
    found = services.get_connector(connector_uid)
    form = LinkForm()
    if not form.validate():
        flash(_("Say which account, and whose it is."), "bad")
        return _back(found)
    person_id = services.person_by_key(form.person.data)
    if person_id is None:
        flash(_("Nobody here has that address or number. Nothing was changed."), "bad")
        return _back(found)
    try:
        link_by_hand(found, form.account.data.strip(), person_id, current_person().id)
    except DomainError as error:
        flash(error.message, "bad")
        return _back(found)
    wake(CARRY_OVER)
    flash(_("Linked. What the account did before counts from now on."), "good")
    return _back(found)


@blueprint.post("/connectors/<connector_uid>/groups/<int:group_id>")
@allow(Who.ADMINISTRATOR)
def group(connector_uid: str, group_id: int) -> Response:
    """Say of what kind a group is, and whether it counts."""
    found = services.get_connector(connector_uid)
    kind = request.form.get("kind", "")
    if kind not in current_app.config["LMS_ESN_GROUP_KINDS"]:
        raise NotFound("There is no such kind of group.")
    changed = change_group(
        found, group_id, kind, bool(request.form.get("counted")), current_person().id
    )
    flash(_("“%(group)s” is changed.", group=isolate(changed.name)), "good")
    return _back(found, "groups")


def _form(kind: str) -> ConnectorForm:
    get_kind(kind)
    return FORMS.get(kind, ConnectorForm)()


def _back(connector: Connector, anchor: str | None = None) -> Response:
    return redirect(url_for("esn.connector", connector_uid=connector.uid, _anchor=anchor))


def _show_secret(connector: Connector, secret: str) -> str:
    keep_so_far()  # shown is what is kept
    return render_template("esn/secret.html", status=status_of(connector), secret=secret)
