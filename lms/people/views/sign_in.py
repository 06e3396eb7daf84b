"""Signing in and out: by code, link, password, passkey, and joining by a link."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    Response,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _

from lms.db import db, keep_so_far, transaction
from lms.errors import DomainError, Gone, TooMany
from lms.mail.sender import mail_is_set_up
from lms.people import codes, joining, limits, sign_in_log, tries
from lms.people.access import Who, allow
from lms.people.current import current_person, find_current_person
from lms.people.forms import CodeForm, JoinForm, NewPasswordForm, PasswordForm, WhoForm
from lms.people.gate import is_safe_way_back
from lms.people.models import Identity
from lms.people.security import enter, leave, matches, passkeys_work_here

blueprint = Blueprint("people", "lms.people", template_folder="templates")

NOT_YET = "whoever opens it has not signed in yet"
KEPT = "sign_in_code"


def way_back(wanted: str | None) -> str:
    """Return where to go after sign-in: a path on this site, else the first page."""
    if wanted and is_safe_way_back(wanted):
        return wanted
    return url_for("web.home")


def too_many() -> Response:
    """Say that there were too many tries, and when the next is looked at (429)."""
    seconds = tries.seconds_left()
    response = make_response(
        render_template("people/wait.html", minutes=-(-seconds // 60)), TooMany.status
    )
    response.headers["Retry-After"] = str(seconds)
    return response


@blueprint.route("/sign-in", methods=["GET", "POST"])
@allow(Who.PUBLIC, reason=NOT_YET)
def sign_in() -> Any:
    """Ask who it is, then mail a code; the answer is the same for everybody."""
    if find_current_person() is not None:
        return redirect(way_back(request.args.get("next")))
    form = WhoForm(next=request.args.get("next", ""))
    if form.validate_on_submit():
        identity = codes.find_identity(form.who.data)
        if not limits.spend(limits.CODES, form.who.data, identity).within:
            return too_many()
        session[KEPT] = codes.ask_for(identity, way_back(form.next.data))
        return redirect(url_for("people.enter_code"))
    return render_template(
        "people/sign_in.html",
        form=form,
        by_mail=mail_is_set_up(),
        passkeys=passkeys_work_here(),
        back=way_back(form.next.data),
    )


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
@allow(Who.PUBLIC, reason=NOT_YET)
def enter_code() -> Any:
    """Take the six digits."""
    uid = session.get(KEPT)
    if uid is None:
        return redirect(url_for("people.sign_in"))
    form = CodeForm()
    status = 200
    if form.validate_on_submit():
        about = codes.find_person(uid)
        found = codes.redeem_code(uid, form.code.data)
        if found is not None:
            identity, back = found
            enter(identity, "code")
            return redirect(way_back(back))
        sign_in_log.failed(about, "code")
        if not limits.wrong("code"):
            return too_many()
        form.code.errors = [
            _("That is not the code, or its time is over. Look again, or ask for a new one.")
        ]
        status = 422
    return render_template("people/code.html", form=form, minutes=codes.VALID_MINUTES), status


@blueprint.route("/sign-in/by-link/<token>", methods=["GET", "POST"])
@allow(Who.PUBLIC, reason=NOT_YET)
def by_link(token: str) -> Any:
    """Let in by the link from the mail, at the press of a button.

    Opening it is not enough: programs that check mail for viruses open every link.
    """
    if request.method == "POST":
        found = codes.redeem_link(token)
        if found is not None:
            identity, back = found
            enter(identity, "link")
            return redirect(way_back(back))
        sign_in_log.failed(None, "link")
        if not limits.wrong("link"):
            return too_many()
    link = codes.find_link(token)
    return render_template("people/by_link.html", link=link), 200 if link else 410


@blueprint.route("/sign-in/password", methods=["GET", "POST"])
@allow(Who.PUBLIC, reason=NOT_YET)
def by_password() -> Any:
    """Take a name and a password; a wrong name and a wrong password look and last the same."""
    form = PasswordForm(next=request.args.get("next", ""))
    status = 200
    if form.validate_on_submit():
        # Counted and committed first: nobody's writing waits while the password is hashed.
        with transaction():
            found = codes.find_identity(form.who.data)
            spent = limits.spend(limits.PASSWORDS, form.who.data, found)
            kept = None if found is None else found.password
            person_id = None if found is None else found.person_id
        if not spent.within:
            return too_many()
        right = matches(form.password.data, kept)
        identity = None if person_id is None else db.session.get(Identity, person_id)
        if right and identity is not None and identity.active and identity.password == kept:
            limits.give_back(spent)
            enter(identity, "password")
            return redirect(way_back(form.next.data))
        sign_in_log.failed(None if identity is None else identity.person, "password")
        form.password.errors = [_("Name and password do not fit together. Try again.")]
        status = 422
    return (
        render_template(
            "people/password.html", form=form, by_mail=mail_is_set_up(), passkeys=False
        ),
        status,
    )


@blueprint.post("/sign-out")
@allow(Who.SIGNED_IN)
def sign_out() -> Any:
    """Sign out here."""
    leave()
    return redirect(url_for("people.sign_in"))


@blueprint.route("/join/<token>", methods=["GET", "POST"])
@allow(Who.PUBLIC, reason="people come in by it who cannot sign in yet; it is limited")
def join(token: str) -> Any:
    """Come in by a join link or QR code."""
    here = find_current_person()
    if request.method == "GET" and here is not None and here.identity is not None:
        return render_template("people/in_already.html", identity=here.identity)
    link = joining.get_link(token, used_up=request.method == "POST")
    known = None if link.person_id is None else db.session.get(Identity, link.person_id)
    form = NewPasswordForm() if known is not None else JoinForm()
    status = 200
    if form.validate_on_submit():
        if not limits.may_join():
            return too_many()
        keep_so_far()  # nobody waits at this count while the password is hashed
        password = form.password.data or None
        name = "" if known is not None else form.name.data
        tried: dict[int, limits.Spent] = {}

        def may_try(identity: Identity) -> None:
            spent = tried[identity.person_id] = limits.spend(limits.PASSWORDS, "", identity)
            keep_so_far()  # whatever comes of it; and nobody waits while the password is hashed
            if not spent.within:
                raise TooMany("Too many passwords were tried for this person.")

        keep_so_far()  # nobody waits at the count while the password is hashed
        if password is None and not passkeys_work_here():
            form.password.errors = [_("Choose a password, so that you can come back.")]
        else:
            try:
                identity, again = joining.come_in(link, name, password, may_try)
            except TooMany:
                return too_many()
            except Gone:
                raise
            except DomainError as error:
                form.password.errors = [error.message]
            else:
                if again:
                    limits.give_back(tried[identity.person_id])
                enter(identity, "password" if again else "join")
                return redirect(url_for("people.welcome"))
        status = 422
    return (
        render_template("people/join.html", form=form, known=known, passkeys=passkeys_work_here()),
        status,
    )


@blueprint.get("/welcome")
@allow(Who.SIGNED_IN)
def welcome() -> Any:
    """Say how to come back: the sign-in name, and a passkey where that works."""
    identity = current_person().identity
    return render_template("people/welcome.html", identity=identity, passkeys=passkeys_work_here())
