"""Forms of sign-in, joining and one's own settings."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    PasswordField,
    SearchField,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired, Length, Optional

from lms.forms import Form

PHONE_KEYS = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}


class WhoForm(Form):
    """Who wants in."""

    who = StringField(
        _l("Work e-mail or sign-in name"),
        [InputRequired(_l("Type your work e-mail or your sign-in name.")), Length(max=254)],
        render_kw={**PHONE_KEYS, "autocomplete": "username webauthn", "inputmode": "email"},
    )
    next = HiddenField()


class CodeForm(Form):
    """The six digits from the mail."""

    code = StringField(
        _l("Code from the mail"),
        [InputRequired(_l("Type the six digits.")), Length(max=20)],
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": 12},
    )


class PasswordForm(WhoForm):
    """Name and password."""

    password = PasswordField(
        _l("Password"),
        [InputRequired(_l("Type your password.")), Length(max=200)],
        render_kw={"autocomplete": "current-password"},
    )


class NewPasswordForm(Form):
    """A password of one's own choice."""

    password = PasswordField(
        _l("Choose a password"),
        [Length(max=200)],
        description=_l("Ten characters or more. Three words you like are good."),
        render_kw={"autocomplete": "new-password"},
    )


class ChangePasswordForm(NewPasswordForm):
    """Another password; `present` is asked for where there is one and nothing else proved who."""

    present = PasswordField(
        _l("Your present password"),
        [Length(max=200)],
        render_kw={"autocomplete": "current-password"},
    )


class JoinForm(NewPasswordForm):
    """Somebody new, by an open link."""

    name = StringField(
        _l("Your name"),
        [InputRequired(_l("Type your name as your colleagues know it.")), Length(max=120)],
        description=_l("As your colleagues know it."),
        render_kw={"autocomplete": "name"},
    )


KEYS_HINT = _l("E-mail, employee number or sign-in name.")


class SearchForm(Form):
    """A search among everybody."""

    words = SearchField(_l("Name, e-mail or number"), [Length(max=200)])
    unit = SelectField(_l("Unit"), validate_choice=False)


class PersonForm(Form):
    """Who a person is and where they stand."""

    name = StringField(_l("Name"), [InputRequired(_l("A person needs a name.")), Length(max=200)])
    email = StringField(
        _l("E-mail"),
        [Length(max=254)],
        filters=[lambda text: (text or "").strip()],
        description=_l("May stay empty: then a link or QR code lets them in."),
        render_kw={"autocomplete": "off"},
    )
    employee_number = StringField(
        _l("Employee number"), [Length(max=64)], filters=[lambda text: (text or "").strip()]
    )
    manager = StringField(_l("Manager"), [Length(max=254)], description=KEYS_HINT)
    unit = SelectField(_l("Unit"))
    job_role = StringField(_l("Role at work"), [Length(max=80)])
    hired_on = DateField(_l("Hired on"), [Optional()])


class RolesForm(Form):
    """What a person may do."""

    author = BooleanField(_l("Author: writes and publishes courses"))
    administrator = BooleanField(
        _l("Administrator: people, connections, everything on these pages")
    )


class UnitForm(Form):
    """A part of the organisation."""

    name = StringField(_l("Name"), [InputRequired(_l("A unit needs a name.")), Length(max=200)])
    parent = SelectField(_l("Inside"))


class LinkForm(Form):
    """A join link for people without a mailbox."""

    unit = SelectField(_l("Puts them into the unit"))
    manager = StringField(_l("Their manager"), [Length(max=254)], description=KEYS_HINT)
    job_role = StringField(_l("Role at work"), [Length(max=80)])
    days = IntegerField(_l("Open for how many days"), [InputRequired()], default=14)
    most_uses = IntegerField(_l("For how many people"), [InputRequired()], default=25)


class FileForm(Form):
    """A file from HR."""

    file = FileField(
        _l("File"),
        [FileRequired(_l("Choose a file."))],
        render_kw={"accept": ".csv,.txt,.tsv,text/csv,text/plain"},
    )
