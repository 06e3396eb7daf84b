"""What somebody still lacks, in whole, kind sentences."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from flask_babel import ngettext

from esn.vocabulary import Act, Client
from lms import days


def lacking_acts(number: int, verb: str | None) -> str:
    """Say how many more acts are needed."""
    if verb == Act.POSTED:
        return str(ngettext("One more post", "%(num)s more posts", number))
    if verb in (Act.REPLIED, Act.ANSWERED, Act.COMMENTED):
        return str(ngettext("One more reply", "%(num)s more replies", number))
    if verb == Act.REACTED:
        return str(ngettext("One more reaction", "%(num)s more reactions", number))
    if verb == Act.JOINED:
        return str(ngettext("Join one more group", "Join %(num)s more groups", number))
    return str(ngettext("Take part once more", "Take part %(num)s more times", number))


def lacking_recipients(number: int, verb: str | None) -> str:
    """Say how many more people are to be answered."""
    if verb == Act.REACTED:
        return str(ngettext("React to one more person", "React to %(num)s more people", number))
    return str(ngettext("Answer one more person", "Answer %(num)s more people", number))


def lacking_days(number: int, _verb: str | None) -> str:
    """Say on how many more days to take part."""
    return str(ngettext("Take part on one more day", "Take part on %(num)s more days", number))


def lacking_groups(number: int, verb: str | None) -> str:
    """Say in how many more groups to take part."""
    if verb == Act.JOINED:
        return str(ngettext("Join one more group", "Join %(num)s more groups", number))
    return str(ngettext("Take part in one more group", "Take part in %(num)s more groups", number))


def with_day(words: str, by: dt.date | None, client: str | None = None) -> str:
    """Return the sentence, with the device and the day by which, where they matter."""
    if client == Client.MOBILE:
        words = str(_("%(what)s from your phone", what=words))
    elif client == Client.DESKTOP:
        words = str(_("%(what)s from a computer", what=words))
    if by is None:
        return f"{words}."
    return str(_("%(what)s, by %(day)s.", what=words, day=days.near(by)))
