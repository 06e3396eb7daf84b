"""What an administrator fills in about networks."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from lms.forms import Form

PLAIN = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}


class ConnectorForm(Form):
    """A new connector of any kind."""

    label = StringField(
        _l("What the network is called here"),
        [InputRequired(_l("Give it a name, like Square.")), Length(max=120)],
    )


class MatrixForm(ConnectorForm):
    """A Matrix homeserver."""

    homeserver = StringField(
        _l("Address of the homeserver"),
        [InputRequired(_l("Write the address, like https://matrix.example.com."))],
        render_kw={**PLAIN, "inputmode": "url", "placeholder": "https://matrix.example.com"},
    )
    server_name = StringField(
        _l("Server name"),
        [InputRequired(_l("Write the server name, like example.com."))],
        description=_l("What follows the colon in people’s ids there: @imani:example.com."),
        render_kw=PLAIN,
    )
    match = SelectField(
        _l("How people are recognised"),
        choices=[
            SelectChoice("email", _l("By the e-mail address that the homeserver has verified")),
            SelectChoice("employee_number", _l("Their user name is their employee number")),
            SelectChoice("none", _l("Not at all: I link them by hand")),
        ],
    )


class LinkForm(Form):
    """An account of the network, and whose it is."""

    account = StringField(
        _l("The account’s id in the network"),
        [InputRequired(_l("Write the id as the network writes it.")), Length(max=255)],
        description=_l("It is kept as a code that cannot be read back."),
        render_kw=PLAIN,
    )
    person = StringField(
        _l("E-mail or employee number of the person"),
        [InputRequired(_l("Say whose account it is.")), Length(max=254)],
        render_kw=PLAIN,
    )
