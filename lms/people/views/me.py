"""A person's own pages: how they sign in, and what is held about them."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from lms.db import db, transaction
from lms.errors import DomainError, NotFound
from lms.people import held as holdings
from lms.people import limits, sign_in_log, ways_in
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.forms import ChangePasswordForm
from lms.people.joining import check_password
from lms.people.models import Identity, Passkey
from lms.people.security import (
    enter,
    hashed,
    is_fresh,
    is_fresh_without_password,
    leave_others,
    matches,
    passkeys_work_here,
)
from lms.people.views import sign_in

# One's own pages and those of sign-in share a name, `people.`: one blueprint.
blueprint = sign_in.blueprint

MOST_SHOWN = 5

# Names of values on the page; the export keeps the bare ones.
WORDS = {
    "name": _l("Name"), "email": _l("E-mail"), "employee_number": _l("Employee number"),
    "sign_in_name": _l("Sign-in name"), "id_in_statements": _l("Your number in records"),
    "unit": _l("Unit"), "manager": _l("Manager"), "role_at_work": _l("Role at work"),
    "hired_on": _l("Hired on"), "language": _l("Language"), "author": _l("Author"),
    "manager_of_others": _l("Leads others"), "administrator": _l("Administrator"),
    "account_since": _l("Account made on"), "kind": _l("Kind"), "kept_as": _l("Kept as"),
    "last_used": _l("Last used"), "until": _l("Until"), "at": _l("When"), "act": _l("What"),
    "about": _l("About"), "by_you": _l("By you"),
}  # fmt: skip


def _identity() -> Identity:
    identity = current_person().identity
    if identity is None:
        raise NotFound("There is nothing here.")
    return identity


def _asks_present(identity: Identity) -> bool:
    """Whether the present password is asked for before there is another."""
    return identity.password is not None and not is_fresh_without_password()


def _page(form: ChangePasswordForm, status: int = 200) -> Any:
    identity = _identity()
    return (
        render_template(
            "people/devices.html",
            identity=identity,
            form=form,
            fresh=is_fresh(),
            asks_present=_asks_present(identity),
            passkeys=passkeys_work_here(),
        ),
        status,
    )


@blueprint.get("/me/sign-in")
@allow(Who.SIGNED_IN)
def devices() -> Any:
    """Show how the person signs in: passkeys, password, sessions."""
    return _page(ChangePasswordForm())


@blueprint.post("/me/password")
@allow(Who.SIGNED_IN)
def password() -> Any:
    """Choose a new password; everybody else who was signed in with this account is out.

    Who has one types it; who has none, or forgot it, has just shown by a mailed code, a link or a
    passkey who they are.
    """
    form = ChangePasswordForm()
    identity = _identity()
    asks = _asks_present(identity)
    if not asks and not is_fresh():
        return redirect(url_for("people.devices"))
    if not form.validate_on_submit():
        return _page(form, 422)
    try:
        check_password(form.password.data or "", [identity.display_name])
    except DomainError as error:
        form.password.errors = [error.message]
        return _page(form, 422)
    # Counted and committed first: nobody's writing waits while passwords are hashed.
    kept, spent = identity.password, None
    with transaction():
        if asks:
            spent = limits.spend(limits.PASSWORDS, "", _identity())
    if spent is not None and not spent.within:
        return sign_in.too_many()
    right = not asks or matches(form.present.data or "", kept)
    made = hashed(form.password.data) if right else ""
    identity = _identity()
    if not right or identity.password != kept:
        sign_in_log.failed(identity.person, "password")
        form.present.errors = [_("That is not your present password. Nothing was changed.")]
        return _page(form, 422)
    if spent is not None:
        limits.give_back(spent)
    ways_in.set_password(identity, made)
    enter(identity, "password")
    flash(_("Saved. Other phones and computers are signed out."), "good")
    return redirect(url_for("people.devices"))


def passkey_owner(passkey_id: int) -> int | None:
    """Return whose passkey it is."""
    found = db.session.get(Passkey, passkey_id)
    return None if found is None else found.person_id


@blueprint.post("/me/passkeys/<int:passkey_id>/remove")
@allow(Who.SELF, owner=passkey_owner)
def remove_passkey(passkey_id: int) -> Any:
    """Remove one of one's own passkeys, soon after signing in."""
    found = db.session.get(Passkey, passkey_id)
    if found is not None and is_fresh():
        ways_in.remove_passkey(found)
        flash(_("Removed."), "good")
    return redirect(url_for("people.devices"))


@blueprint.post("/me/end-others")
@allow(Who.SIGNED_IN)
def end_others() -> Any:
    """Sign out everywhere but here."""
    leave_others(_identity())
    flash(_("Done. Only this one is still signed in."), "good")
    return redirect(url_for("people.devices"))


@blueprint.get("/me/held")
@allow(Who.SIGNED_IN)
def held() -> Any:
    """Say what is held about the person, what for, who sees it, and for how long."""
    person = current_person()
    kinds = [(kind, list(kind.rows(person.id))) for kind in holdings.everything()]
    return render_template(
        "people/held.html", kinds=kinds, words=WORDS, most=MOST_SHOWN, as_kept=holdings.as_kept
    )


@blueprint.get("/me/held.json")
@allow(Who.SIGNED_IN)
def held_export() -> Response:
    """All of it, as JSON."""
    body = orjson.dumps(holdings.export(current_person()), option=orjson.OPT_INDENT_2)
    response = Response(body, mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="held-about-me.json"'
    return response
