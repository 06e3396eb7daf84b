"""A rule in words: what is counted, from how many on, within which time. Whole phrases, so that
every language can say them in its own order."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from certificates.rules.model import COMPLETED_MEASURE, USAGE_MEASURES, Condition, Distinct
from lms.number_words import in_words


def condition_in_words(condition: Condition) -> list[str]:
    """Return what a condition asks, as short phrases that stand one after the other."""
    if condition.measure == COMPLETED_MEASURE:
        target = condition.where.target or ""
        return [_("a path completed") if target.startswith("path/") else _("a course completed")]
    said = [_act(condition.where.verb), _amount(condition)]
    if condition.within_days is not None:
        said.append(
            ngettext(
                "within one day",
                "within %(count)s days in a row",
                condition.within_days,
                count=in_words(condition.within_days),
            )
        )
    if condition.where.group_kind is not None:
        said.append(_("only in groups of this kind: %(kind)s", kind=condition.where.group_kind))
    if condition.where.client == "mobile":
        said.append(_("from a phone"))
    elif condition.where.client == "desktop":
        said.append(_("from a computer"))
    if condition.only_if_reported:
        said.append(_("asked only where the network says which device is used"))
    return said


def _act(verb: str | None) -> str:
    acts = {
        None: _("took part in any way"),
        "posted": _("started conversations"),
        "replied": _("answered others"),
        "commented": _("commented"),
        "reacted": _("reacted to what others wrote"),
        "shared": _("shared"),
        "mentioned": _("brought somebody in by name"),
        "asked": _("asked"),
        "answered": _("answered questions"),
        "joined": _("joined groups"),
        "followed": _("followed"),
        "searched": _("searched"),
    }
    return str(acts.get(verb, verb))


def _amount(condition: Condition) -> str:
    number = condition.at_least
    phrases = {
        USAGE_MEASURES[Distinct.RECIPIENT]: lambda: ngettext(
            "one person at least",
            "%(count)s different people at least",
            number,
            count=in_words(number),
        ),
        USAGE_MEASURES[Distinct.DAY]: lambda: ngettext(
            "on one day at least",
            "on %(count)s different days at least",
            number,
            count=in_words(number),
        ),
        USAGE_MEASURES[Distinct.GROUP]: lambda: ngettext(
            "in one group at least",
            "in %(count)s different groups at least",
            number,
            count=in_words(number),
        ),
    }
    found = phrases.get(condition.measure)
    if found is None:
        return str(
            ngettext("once at least", "%(count)s times at least", number, count=in_words(number))
        )
    return str(found())
