"""Forms of sign-in, joining and one's own settings."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length

PHONE_KEYS = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}


class WhoForm(FlaskForm):  # type: ignore[misc]
    """Who wants in."""

    who = StringField(
        _l("Work e-mail or sign-in name"),
        [InputRequired(_l("Type your work e-mail or your sign-in name.")), Length(max=254)],
        render_kw={**PHONE_KEYS, "autocomplete": "username webauthn", "inputmode": "email"},
    )
    next = HiddenField()


class CodeForm(FlaskForm):  # type: ignore[misc]
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


class NewPasswordForm(FlaskForm):  # type: ignore[misc]
    """A password of one's own choice."""

    password = PasswordField(
        _l("Choose a password"),
        [Length(max=200)],
        description=_l("Ten characters or more. Three words you like are good."),
        render_kw={"autocomplete": "new-password"},
    )


class JoinForm(NewPasswordForm):
    """Somebody new, by an open link."""

    name = StringField(
        _l("Your name"),
        [InputRequired(_l("Type your name as your colleagues know it.")), Length(max=120)],
        description=_l("As your colleagues know it."),
        render_kw={"autocomplete": "name"},
    )


class LanguageForm(FlaskForm):  # type: ignore[misc]
    """The language of pages and mail."""

    language = SelectField(_l("Language"))
