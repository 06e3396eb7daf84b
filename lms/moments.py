"""Stored moments beside the present one, where the clock may have been set back since.

What was written while the clock ran ahead by a year must not wait, or be good, for that year: a
moment that lies further ahead than anybody can have meant counts as over.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from lms import clock

# The clocks of several machines differ by so much at most.
SKEW = dt.timedelta(minutes=5)


def is_due(column: Any, longest: dt.timedelta) -> ColumnElement[bool]:
    """Return the condition that a moment has come, which was never set further off than `longest`."""
    moment = clock.now()
    return or_(column <= moment, column > moment + longest + SKEW)


def is_good(column: Any, longest: dt.timedelta) -> ColumnElement[bool]:
    """Return the condition that something is good still, which is never so for more than `longest`."""
    moment = clock.now()
    return and_(column > moment, column <= moment + longest + SKEW)


def still_good(until: dt.datetime, longest: dt.timedelta) -> bool:
    """Whether something is good still, which is never so for more than `longest`."""
    moment = clock.now()
    return moment < until <= moment + longest + SKEW
