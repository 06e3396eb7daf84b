"""Cycles: the times that the same thing is asked of somebody.

The first cycle has no name. A later one is named by the day, month or year in which it begins
(`2027`, `2027-04`), so that names sort as time goes: what was done in a later cycle counts for an
earlier one too, and never the other way round.
"""

from __future__ import annotations

import re

from flask_babel import gettext as _

from lms.errors import Invalid

FIRST = ""
CYCLE_MAX_CHARS = 20
NAME = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")


def check_next(cycle: str, present: str) -> None:
    """Raise Invalid where `cycle` names none, or one that does not come after `present`."""
    if not NAME.fullmatch(cycle):
        raise Invalid(_("A cycle is named by a year, month or day: 2027, 2027-04 or 2027-04-01."))
    if cycle <= present:
        raise Invalid(_("The cycle %(cycle)s has begun already.", cycle=present))
