"""A record store: added, changed, tried, paused, removed."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import BooleanField, PasswordField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from lms.db import db
from lms.errors import DomainError, Misconfigured
from lms.forms import Form
from lms.jobs.queue import wake
from lms.people.access import Who, allow
from lms.people.current import current_person
from xapi.delivery.probe import Finding, probe
from xapi.lrs import credentials
from xapi.outbox import stores
from xapi.outbox.models import Store
from xapi.pages.blueprint import blueprint
from xapi.targets import DELIVER, taken_names

PLAIN = {
    "autocapitalize": "none",
    "autocorrect": "off",
    "spellcheck": "false",
    "autocomplete": "off",
    "dir": "ltr",
}


class StoreForm(Form):
    """A record store, and what it gets."""

    label = StringField(
        _l("What is it called here?"),
        [InputRequired(_l("Give it a name.")), Length(max=120)],
        render_kw={"autocomplete": "off"},
    )
    endpoint = StringField(
        _l("Its address"),
        [
            InputRequired(_l("Write the whole address, like https://lrs.example.com/xapi/.")),
            Length(max=500),
        ],
        description=_l("The endpoint, as the record store's own pages show it."),
        render_kw={**PLAIN, "inputmode": "url", "placeholder": "https://lrs.example.com/xapi/"},
    )
    key = StringField(
        _l("Key"),
        [InputRequired(_l("Write the key as it was given to you.")), Length(max=255)],
        description=_l("Make one there that may store statements. Some call it user name."),
        render_kw=PLAIN,
    )
    secret = PasswordField(
        _l("Secret"),
        [Length(max=500)],
        render_kw={**PLAIN, "autocomplete": "new-password"},
    )
    version = SelectField(
        _l("Version of xAPI"),
        choices=[SelectChoice("1.0.3", "1.0.3"), SelectChoice("2.0.0", "2.0 (IEEE 9274.1.1)")],
    )
    what = RadioField(
        _l("What does it get?"),
        choices=[
            SelectChoice("recorded", _l("What Ropes records")),
            SelectChoice(
                "everything", _l("That, and what other systems store in the built-in store")
            ),
        ],
        default="recorded",
    )
    but_not = SelectField(
        _l("But not what came from"),
        description=_l(
            "Does the record store itself send statements here? Choose its credential, so that "
            "none is sent back."
        ),
    )

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        if stores.is_alone():
            del self.what  # there is but one answer
        in_use = [one for one in credentials.list_all() if one.revoked_at is None]
        self.but_not.choices = [
            SelectChoice("", _("nobody: it only receives")),
            *[SelectChoice(one.uid, one.name) for one in in_use],
        ]
        chosen = self.but_not.data
        if chosen and chosen not in {one.uid for one in in_use}:  # revoked meanwhile
            self.but_not.choices.append(SelectChoice(chosen, _("a credential that was revoked")))

    def told(self) -> dict[str, Any]:
        """Return what was filled in, as the services want it."""
        return {
            "label": self.label.data,
            "endpoint": self.endpoint.data,
            "key": self.key.data.strip(),
            "secret": self.secret.data or "",
            "version": self.version.data,
            "everything": self.what is None or self.what.data == "everything",
            "but_not": self.but_not.data or "",
        }


class RemoveForm(Form):
    """Removing forgets what waits, and is said twice."""

    sure = BooleanField(
        _l("Yes, forget what waits for it"), [InputRequired(_l("Tick this if you mean it."))]
    )


@blueprint.route("/delivery/new", methods=["GET", "POST"])
@allow(Who.ADMINISTRATOR)
def new_store() -> Any:
    """Add a record store."""
    form = StoreForm()
    if not form.is_submitted():
        return render_template("xapi/store_form.html", form=form, store=None)
    if form.validate():
        try:
            made = stores.add(**form.told(), taken=taken_names(), actor_id=current_person().id)
        except DomainError as error:
            form.blame(error)
        else:
            flash(_("Added. It gets what is recorded from now on."), "good")
            return redirect(url_for("xapi.store", target=made.name))
    return render_template("xapi/store_form.html", form=form, store=None), 422


@blueprint.route("/delivery/<target>/change", methods=["GET", "POST"])
@allow(Who.ADMINISTRATOR)
def change_store(target: str) -> Any:
    """Change a record store that was added."""
    found = stores.get(target)
    form = StoreForm(obj=found, data={"what": "everything" if found.everything else "recorded"})
    if not form.is_submitted():
        return render_template("xapi/store_form.html", form=form, store=found)
    if form.validate():
        try:
            stores.change(found, **form.told(), actor_id=current_person().id)
        except DomainError as error:
            db.session.rollback()
            form.blame(error)
        else:
            wake(DELIVER)
            flash(_("Changed."), "good")
            return redirect(url_for("xapi.store", target=target))
    return render_template("xapi/store_form.html", form=form, store=stores.get(target)), 422


@blueprint.post("/delivery/<target>/test")
@allow(Who.ADMINISTRATOR)
def test_store(target: str) -> Response:
    """Try address, key and version, and say what is wrong."""
    found = _alone(stores.get(target))
    try:
        finding = probe(found)
    except Misconfigured as error:
        finding = Finding(False, str(error))
    flash(finding.words, "good" if finding.well else "bad")
    return redirect(url_for("xapi.store", target=target))


@blueprint.post("/delivery/<target>/pause")
@allow(Who.ADMINISTRATOR)
def pause_store(target: str) -> Response:
    """Send nothing until it is resumed, or go on."""
    found, paused = stores.get(target), request.form.get("paused") == "yes"
    stores.pause(found, paused, current_person().id)
    wake(DELIVER)
    flash(
        _("It is paused. What is recorded meanwhile waits.") if paused else _("It goes on."), "good"
    )
    return redirect(url_for("xapi.store", target=target))


@blueprint.post("/delivery/<target>/remove")
@allow(Who.ADMINISTRATOR)
def remove_store(target: str) -> Response:
    """Send nothing there any more, and forget what waits."""
    found, form = stores.get(target), RemoveForm()
    if not form.validate():
        flash(_("Nothing was removed: tick the box if you mean it."), "bad")
        return redirect(url_for("xapi.store", target=target))
    stores.remove(found, current_person().id)
    wake(DELIVER)
    flash(_("“%(name)s” is removed. What it holds stays there.", name=found.label), "good")
    return redirect(url_for("xapi.delivery"))


def _alone(store: Store) -> Store:
    """Return a row that lives without its transaction, which is over: the network may take long."""
    db.session.refresh(store)
    db.session.expunge(store)
    db.session.commit()
    return store
