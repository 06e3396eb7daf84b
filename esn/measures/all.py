"""The measures that esn brings."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from esn.measures import words
from esn.measures.count import UsageMeasure

MEASURES = (
    UsageMeasure("esn.acts", _l("Taking part"), _l("times"), None, words.lacking_acts),
    UsageMeasure(
        "esn.recipients",
        _l("Different people answered"),
        _l("people"),
        "recipient_id",
        words.lacking_recipients,
    ),
    UsageMeasure("esn.days", _l("Different days"), _l("days"), "day", words.lacking_days),
    UsageMeasure(
        "esn.groups", _l("Different groups"), _l("groups"), "group_key", words.lacking_groups
    ),
)
