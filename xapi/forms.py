"""What an administrator fills in on the delivery page."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import DateField
from wtforms.validators import Optional

from lms.forms import Form


class SendSinceForm(Form):
    """From which day on everything is sent; no day means from the first statement on."""

    since = DateField(
        _l("Everything recorded since"),
        validators=[Optional()],
        description=_l(
            "Leave it empty to send all there is. What is there already is not doubled."
        ),
    )
