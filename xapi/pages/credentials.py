"""Credentials: which systems talk to the record store, with which rights, and since when.

A secret is shown in the answer to the press of the button that made it, and never again. The form
carries the uid of what it will make, so that the same press sent twice makes one credential.
"""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from lms.db import keep_so_far
from lms.errors import DomainError, Invalid
from lms.forms import Form
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.models import new_uid
from lms.people.names import display_names
from xapi.commands import endpoint
from xapi.lrs import credentials
from xapi.lrs.calls import ANSWERED_VERSIONS
from xapi.lrs.models import LrsCredential
from xapi.lrs.scopes import IN_WORDS, USUAL
from xapi.pages.blueprint import blueprint


class MultiCheckboxField(SelectMultipleField):  # type: ignore[misc]
    """Any number of choices, a box each."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def origins_field() -> TextAreaField:
    """Return the field for the sites whose pages may use a credential."""
    return TextAreaField(
        _l("Allowed origins"),
        description=_l(
            "Only for content that is hosted elsewhere and runs in the learner’s browser: the "
            "address of each site, one a line, like https://content.example.com. Pages of no other "
            "site may use this key. Leave it empty for a system that speaks from its own server."
        ),
        render_kw={
            "rows": 3, "dir": "ltr", "spellcheck": "false", "autocapitalize": "off",
            "autocomplete": "off",
        },
    )  # fmt: skip


class OriginsForm(Form):
    """Whose pages may use a credential."""

    origins = origins_field()


class CredentialForm(Form):
    """A system, and what it may do."""

    name = StringField(
        _l("Which system is it for?"),
        [InputRequired(_l("Give the credential a name that says who uses it.")), Length(max=120)],
        description=_l("Its name, as the one who looks after it knows it."),
        render_kw={"autocomplete": "off"},
    )
    scopes = MultiCheckboxField(
        _l("What may it do?"),
        choices=[SelectChoice(scope, words) for scope, words in IN_WORDS.items()],
        description=_l(
            "No more than it needs: a system that only sends stores statements and reads its own."
        ),
    )
    version = RadioField(
        _l("Which version of xAPI does it speak?"),
        choices=[SelectChoice(str(major), name) for major, name in ANSWERED_VERSIONS.items()],
        default="1",
        description=_l(
            "Each call says it, and both are understood. A call that does not is answered in this."
        ),
    )
    origins = origins_field()
    uid = HiddenField()

    def validate_scopes(self, field: MultiCheckboxField) -> None:
        """Want one at least; `InputRequired` would have browsers want every box ticked."""
        if not field.data:
            raise ValidationError(_("Choose one thing at least that it may do."))


class RotateForm(Form):
    """How long the old secret works beside a new one."""

    days = IntegerField(
        _l("How many days may the old secret still be used?"),
        [
            InputRequired(_l("Write a whole number, like 7.")),
            NumberRange(
                0,
                credentials.OLD_DAYS_MOST,
                _l("Between 0 and %(most)s days.", most=credentials.OLD_DAYS_MOST),
            ),
        ],
        default=credentials.OLD_DAYS,
        description=_l("Both work until then. With 0 the old one ends at once."),
    )


class RevokeForm(Form):
    """Revoking is for good, and is said twice."""

    sure = BooleanField(
        _l("Yes, turn this system away from now on"),
        [InputRequired(_l("Tick this if you mean it."))],
    )


@blueprint.get("/credentials")
@allow(Who.ADMINISTRATOR)
def list_credentials() -> str:
    """Show every credential."""
    every = credentials.list_all()
    return render_template(
        "xapi/credentials.html",
        every=every,
        in_use=[one for one in every if one.revoked_at is None],
        scopes=scopes_in_words,
        old_works=credentials.old_works,
        makers=display_names({one.made_by_id for one in every if one.made_by_id}),
    )


@blueprint.route("/credentials/new", methods=["GET", "POST"])
@allow(Who.ADMINISTRATOR)
def new_credential() -> Any:
    """Make a credential, and show its secret this once."""
    form = CredentialForm(data={"scopes": list(USUAL), "uid": new_uid()})
    if not form.is_submitted():
        return render_template("xapi/new_credential.html", form=form)
    if form.validate():
        try:
            before = credentials.find_made(form.uid.data)
            if before is not None:
                return _made_already(before)
            made, secret = credentials.add(
                form.name.data,
                form.scopes.data,
                current_person().id,
                form.uid.data,
                int(form.version.data),
                (form.origins.data or "").splitlines(),
            )
        except DomainError as error:
            form.blame(error)
        else:
            return _show_secret(made, secret)
    return render_template("xapi/new_credential.html", form=form), 422


@blueprint.get("/credentials/<credential_uid>")
@allow(Who.ADMINISTRATOR)
def credential(credential_uid: str) -> str:
    """Show one credential."""
    return _page(credentials.get_credential(credential_uid))


@blueprint.post("/credentials/<credential_uid>/rotate")
@allow(Who.ADMINISTRATOR)
def rotate_credential(credential_uid: str) -> Any:
    """Make a new secret beside the old one, and show it this once."""
    found, form = credentials.get_credential(credential_uid), RotateForm()
    if not form.validate():
        return _page(found, rotate=form), 422
    try:
        changed, secret = credentials.rotate(found.key, form.days.data, current_person().id)
    except DomainError as error:
        # The same press sent twice comes here too: a new secret is there already.
        flash(error.message, "bad")
        return redirect(url_for("xapi.credential", credential_uid=credential_uid))
    return _show_secret(changed, secret)


@blueprint.post("/credentials/<credential_uid>/origins")
@allow(Who.ADMINISTRATOR)
def allow_origins(credential_uid: str) -> Any:
    """Say whose pages may use a credential."""
    found, form = credentials.get_credential(credential_uid), OriginsForm()
    try:
        lines = (form.origins.data or "").splitlines()
        changed = credentials.allow_origins(found.key, lines, current_person().id)
    except Invalid as error:
        form.blame(error)
        return _page(found, origins=form), 422
    flash(
        _("Its allowed origins are kept. They hold from the next request on.")
        if changed.origins
        else _("No page of another site may use it from now on."),
        "good",
    )
    return redirect(url_for("xapi.credential", credential_uid=credential_uid))


@blueprint.post("/credentials/<credential_uid>/end-old")
@allow(Who.ADMINISTRATOR)
def end_old_secret(credential_uid: str) -> Response:
    """End the old secret now."""
    found = credentials.get_credential(credential_uid)
    credentials.end_old(found.key, current_person().id)
    flash(_("The old secret is refused from now on."), "good")
    return redirect(url_for("xapi.credential", credential_uid=credential_uid))


@blueprint.post("/credentials/<credential_uid>/revoke")
@allow(Who.ADMINISTRATOR)
def revoke_credential(credential_uid: str) -> Any:
    """End a credential for good, where that is confirmed."""
    found, form = credentials.get_credential(credential_uid), RevokeForm()
    if not form.validate():
        return _page(found, revoke=form), 422
    credentials.revoke(found.key, current_person().id)
    flash(_("Revoked. The next request with it is refused."), "good")
    return redirect(url_for("xapi.list_credentials"))


def scopes_in_words(one: LrsCredential) -> list[str]:
    """Return what a credential may do; a scope that we no longer know by its own name."""
    return [str(IN_WORDS.get(scope, scope)) for scope in one.scopes.split()]


def _page(
    found: LrsCredential,
    rotate: RotateForm | None = None,
    revoke: RevokeForm | None = None,
    origins: OriginsForm | None = None,
) -> str:
    return render_template(
        "xapi/credential.html",
        one=found,
        scopes=scopes_in_words(found),
        endpoint=endpoint(),
        old_works=credentials.old_works(found),
        maker=display_names([found.made_by_id])[found.made_by_id] if found.made_by_id else "",
        rotate=rotate or RotateForm(formdata=None),
        revoke=revoke or RevokeForm(formdata=None),
        origins=origins
        or OriginsForm(formdata=None, data={"origins": "\n".join(found.origins.split())}),
    )


def _show_secret(made: LrsCredential, secret: str) -> str:
    keep_so_far()  # shown is what is kept
    return render_template("xapi/secret.html", one=made, secret=secret, endpoint=endpoint())


def _made_already(before: LrsCredential) -> Response:
    flash(
        _(
            "It is made already, and its secret was shown then. If you missed it, make a new secret."
        ),
        "bad",
    )
    return redirect(url_for("xapi.credential", credential_uid=before.uid))
