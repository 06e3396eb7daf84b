"""What an administrator fills in where statements are taken out."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, IntegerField, StringField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from lms.forms import Form
from xapi.keeping.retention import MOST_MONTHS, Rules

WHO = _l(
    "A mail address, an employee number or a sign-in name; or an agent as other systems "
    "name it: mailto:…, an OpenID, or an account as its home page, a blank, and the name."
)


class ExportForm(Form):
    """What is to be in the files; left empty, all of the store."""

    person = StringField(
        _l("Of one person only"),
        validators=[Optional(), Length(max=500)],
        description=WHO,
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


class RemovalForm(Form):
    """Whose statements are to be removed, and why. sure is asked for once it is said what goes."""

    person = StringField(
        _l("Whose statements"),
        validators=[DataRequired(_l("Say whose.")), Length(max=500)],
        description=WHO,
    )
    reason = StringField(
        _l("Why, for the record"),
        validators=[Optional(), Length(max=200)],
        description=_l("The number of the request, for instance. Do not write who it is."),
    )
    sure = BooleanField(_l("Yes, remove all of this for good"))


def _months(label: Any, description: Any) -> IntegerField:
    return IntegerField(
        label,
        validators=[
            Optional(),
            NumberRange(
                1, MOST_MONTHS, _l("Between 1 and 600 months; leave it empty to keep for ever.")
            ),
        ],
        description=description,
        render_kw={"class": "short", "inputmode": "numeric"},
    )


class RetentionForm(Form):
    """For how many months what is kept; left empty, for ever."""

    statements = _months(
        _l("All statements: months"),
        _l(
            "Everything in the built-in record store, whoever stored it, and the copies for sending."
        ),
    )
    network = _months(
        _l("What tells of the network: months"),
        _l(
            "Posts, replies, reactions and groups that Ropes recorded. What was earned by them "
            "stays earned."
        ),
    )
    outbox = _months(
        _l("The copies for sending: months"),
        _l("From these a new record store gets what was recorded before it came."),
    )
    sure = BooleanField(_l("Yes, remove this for good"))

    def told(self) -> Rules:
        """Return the rules that were filled in."""
        network = self.network.data if self.network else None
        return Rules(self.statements.data, network, self.outbox.data)
