"""The administrator's forms."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from lms.forms import Form
from lms.yaml_text import CHARS_MOST


class RuleForm(Form):
    """The text of a rule."""

    text = TextAreaField(
        _l("Rule"),
        description=_l("YAML, as the guide for administrators describes it."),
        validators=[DataRequired(_l("Write the rule.")), Length(max=CHARS_MOST)],
        render_kw={"rows": 24, "dir": "ltr", "spellcheck": "false", "class": "certificates-code"},
    )


class RevokeForm(Form):
    """Why a certificate is revoked."""

    why = StringField(
        _l("Reason"),
        description=_l("Whoever checks the certificate will read this. It cannot be taken back."),
        validators=[
            DataRequired(_l("Say in a sentence why it is revoked.")),
            Length(min=3, max=300),
        ],
    )
