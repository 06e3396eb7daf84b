"""What an administrator fills in where statements are taken out."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, StringField
from wtforms.validators import Length, Optional

from lms.forms import Form


class ExportForm(Form):
    """What is to be in the files; left empty, all of the store."""

    person = StringField(
        _l("Of one person only"),
        validators=[Optional(), Length(max=500)],
        description=_l(
            "A mail address, an employee number or a sign-in name; or an agent as other systems "
            "name it: mailto:…, an OpenID, or an account as its home page, a blank, and the name."
        ),
    )
    since = DateField(_l("From this day on"), validators=[Optional()])
    until = DateField(_l("Up to and with this day"), validators=[Optional()])
    verb = StringField(
        _l("Of one verb only"),
        validators=[Optional(), Length(max=2000)],
        description=_l("Its address, as http://adlnet.gov/expapi/verbs/completed"),
    )
    voided = BooleanField(_l("Voided statements too"), default=True)
    attachments = BooleanField(_l("Attachments, in a second file"))
    documents = BooleanField(_l("Documents that other systems keep here, in a file of their own"))
