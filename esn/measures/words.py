"""What somebody still lacks, in whole, kind sentences: each with the act that its rule counts."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _

from esn.vocabulary import Act, Client
from lms import days
from lms.number_words import counted

# Replies, comments and answers are one thing to do: say something to somebody who wrote.
ANSWERS = frozenset({Act.REPLIED, Act.ANSWERED, Act.COMMENTED})


def lacking_acts(number: int, verb: str | None) -> str:
    """Say how many more acts are needed."""
    if verb == Act.POSTED:
        return counted("One more post", "%(count)s more posts", number)
    if verb in ANSWERS:
        return counted("One more reply", "%(count)s more replies", number)
    if verb == Act.REACTED:
        return counted("One more reaction", "%(count)s more reactions", number)
    if verb == Act.JOINED:
        return counted("Join one more group", "Join %(count)s more groups", number)
    if verb == Act.ASKED:
        return counted("Ask one more question", "Ask %(count)s more questions", number)
    if verb in (act := _other_acts()):
        times = counted("Once more", "%(count)s more times", number)
        return _what(times, act[verb])
    return counted("Take part once more", "Take part %(count)s more times", number)


def lacking_recipients(number: int, verb: str | None) -> str:
    """Say how many more people are to be answered, or whatever the act does to them."""
    if verb in ANSWERS:
        return counted("Answer one more person", "Answer %(count)s more people", number)
    if verb == Act.REACTED:
        return counted("React to one more person", "React to %(count)s more people", number)
    if verb in (act := _other_acts() | {Act.POSTED.value: _("post something")}):
        return _what(
            counted("With one more person", "With %(count)s more people", number), act[verb]
        )
    return counted("Turn to one more person", "Turn to %(count)s more people", number)


def lacking_days(number: int, verb: str | None) -> str:
    """Say on how many more days the act is needed."""
    if verb == Act.POSTED:
        return counted("Post on one more day", "Post on %(count)s more days", number)
    if verb in ANSWERS:
        return counted("Reply on one more day", "Reply on %(count)s more days", number)
    if verb == Act.REACTED:
        return counted("React on one more day", "React on %(count)s more days", number)
    if verb in (act := _other_acts()):
        return _what(counted("On one more day", "On %(count)s more days", number), act[verb])
    return counted("Take part on one more day", "Take part on %(count)s more days", number)


def lacking_groups(number: int, verb: str | None) -> str:
    """Say in how many more groups the act is needed."""
    if verb == Act.JOINED:
        return counted("Join one more group", "Join %(count)s more groups", number)
    if verb == Act.POSTED:
        return counted("Post in one more group", "Post in %(count)s more groups", number)
    if verb in ANSWERS:
        return counted("Reply in one more group", "Reply in %(count)s more groups", number)
    if verb == Act.REACTED:
        return counted("React in one more group", "React in %(count)s more groups", number)
    if verb in (act := _other_acts()):
        return _what(counted("In one more group", "In %(count)s more groups", number), act[verb])
    return counted("Take part in one more group", "Take part in %(count)s more groups", number)


def _other_acts() -> dict[str | None, str]:
    """Return the acts that are seldom asked for, each as what to do."""
    return {
        Act.SHARED.value: _("share something"),
        Act.ASKED.value: _("ask a question"),
        Act.MENTIONED.value: _("bring somebody in by name"),
        Act.FOLLOWED.value: _("follow somebody"),
        Act.SEARCHED.value: _("search for something"),
        Act.JOINED.value: _("join a group"),
        Act.LEFT.value: _("leave a group"),
        Act.UPDATED.value: _("change what you wrote"),
    }


def _what(amount: str, act: str) -> str:
    return str(_("%(amount)s: %(act)s", amount=amount, act=act))


def with_day(words: str, by: dt.date | None, client: str | None = None) -> str:
    """Return the sentence, with the device and the day by which, where they matter."""
    if client == Client.MOBILE:
        words = str(_("%(what)s from your phone", what=words))
    elif client == Client.DESKTOP:
        words = str(_("%(what)s from a computer", what=words))
    if by is None:
        return f"{words}."
    return str(_("%(what)s, by %(day)s.", what=words, day=days.near(by)))
