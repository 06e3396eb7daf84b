"""How far one person is: each condition, what is done, and what exactly is missing, in words.

For the person's own page and first page only. Others see met or not met (`certificates.columns`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from certificates import catalogue
from certificates.models import Award
from certificates.rules.compile import Standing, standings, standings_of
from certificates.rules.model import Condition, Need, Rule
from lms.db import db
from lms.evidence import find_measure, get_measure
from lms.people.models import Person


@dataclass(frozen=True, slots=True)
class ConditionView:
    """One condition as it is shown; state as `web/parts.html` wants it: done, partly or open."""

    id: str
    title: str
    state: str
    status: str
    what: str
    link: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Progress:
    """One certificate and how far one person is with it."""

    slug: str
    title: str
    summary: str
    language: str
    need: Need
    conditions: tuple[ConditionView, ...]
    done: int
    asked: int
    unknown: int  # conditions that nothing here can measure


@dataclass(frozen=True, slots=True)
class Way:
    """A certificate to earn and how much of it is done: a line among others."""

    slug: str
    title: str
    summary: str
    language: str
    done: int
    asked: int


def progress_of(person_id: int, rule: Rule) -> Progress:
    """Return how far a person is; a query or two for each condition that is open, for one page.

    A condition that nobody is asked for, since no network says which device is used, is left out.
    """
    standing = standings(rule, [person_id])[0]
    views = []
    unknown = 0
    for condition in rule.conditions:
        if find_measure(condition.measure) is None:
            unknown += 1
            views.append(_unknown(condition))
        elif standing.asked[condition.id]:
            views.append(_view(person_id, condition, standing))
    return Progress(
        slug=rule.slug,
        title=rule.title,
        summary=rule.summary,
        language=rule.language,
        need=rule.need,
        conditions=tuple(views),
        done=count_done(rule, standing),
        asked=count_asked(rule, standing),
        unknown=unknown,
    )


def count_done(rule: Rule, standing: Standing) -> int:
    """Return how many of the asked conditions are met."""
    return sum(standing.met[one.id] and standing.asked[one.id] for one in rule.conditions)


def count_asked(rule: Rule, standing: Standing) -> int:
    """Return how many conditions are asked of the person."""
    return sum(standing.asked[one.id] for one in rule.conditions)


def _view(person_id: int, condition: Condition, standing: Standing) -> ConditionView:
    if standing.met[condition.id]:
        return ConditionView(
            condition.id, condition.title, "done", _("done"), condition.proved, None
        )
    measure = get_measure(condition.measure)
    gap = measure.missing(person_id, condition.window, condition.where, condition.at_least)
    # What the rule's query says goes before the words: a gap that claims more is cut short.
    have, need = min(gap.have, max(gap.need, 1) - 1), max(gap.need, 1)
    return ConditionView(
        id=condition.id,
        title=condition.title,
        state="partly" if have else "open",
        status=_("%(have)s of %(need)s", have=have, need=need),
        what=gap.text,
        link=_link(condition, gap.url),
    )


def _link(condition: Condition, url: str | None) -> tuple[str, str] | None:
    if url is None:
        return None
    if condition.where.target is not None:
        return url, _("Continue")
    return url, _("Open the network")


def _unknown(condition: Condition) -> ConditionView:
    return ConditionView(
        condition.id,
        condition.title,
        "open",
        _("not yet possible"),
        _(
            "This cannot be met at the moment: the part of this site that would know is switched "
            "off. Your administrator is told."
        ),
        None,
    )


@dataclass(frozen=True, slots=True)
class Nearest:
    """The certificate a person is nearest to, for their first page."""

    slug: str
    title: str
    language: str
    done: int
    asked: int
    next_text: str


def open_to(person_id: int) -> list[catalogue.Offered]:
    """Return the certificates that a person does not hold, in order, whoever they are meant for."""
    held = set(db.session.scalars(select(Award.definition_id).where(Award.person_id == person_id)))
    return [one for one in catalogue.offered() if one.definition_id not in held]


def within_reach(person: Person) -> list[Way]:
    """Return how far a person is with each certificate that is theirs to earn; three queries.

    One that is meant for another role is there once more than half of it is done: on a path that they joined
    by themself they would otherwise not find what they have nearly earned.
    """
    rules = [one.rule for one in open_to(person.id)]
    own, others = [], []
    for rule, (standing,) in zip(rules, standings_of(rules, [person.id]), strict=True):
        done, asked = count_done(rule, standing), count_asked(rule, standing)
        way = Way(rule.slug, rule.title, rule.summary, rule.language, done, asked)
        if rule.offered_to.fits(person.job_role, person.is_manager):
            own.append(way)
        elif done * 2 > rule.needed(asked):
            others.append(way)
    return own + others


def nearest(person_id: int) -> Nearest | None:
    """Return the certificate with the largest part done, of those shown to the person."""
    person = db.session.get(Person, person_id)
    if person is None:
        return None
    rules = [
        one.rule
        for one in open_to(person_id)
        if one.rule.offered_to.fits(person.job_role, person.is_manager)
    ]
    best: tuple[float, Rule, Standing] | None = None
    for rule, (standing,) in zip(rules, standings_of(rules, [person_id]), strict=True):
        share = count_done(rule, standing) / max(1, count_asked(rule, standing))
        if best is None or share > best[0]:
            best = share, rule, standing
    if best is None:
        return None
    _share, rule, standing = best
    return Nearest(
        slug=rule.slug,
        title=rule.title,
        language=rule.language,
        done=count_done(rule, standing),
        asked=count_asked(rule, standing),
        next_text=_next(person_id, rule, standing),
    )


def _next(person_id: int, rule: Rule, standing: Standing) -> str:
    """What to do next: the first condition that is not met, in its measure's words."""
    for condition in rule.conditions:
        measure = find_measure(condition.measure)
        if standing.met[condition.id] or not standing.asked[condition.id] or measure is None:
            continue
        gap = measure.missing(person_id, condition.window, condition.where, condition.at_least)
        if not gap.met:
            return gap.text
    return str(_("See what is still to do"))


def home_card(person_id: int) -> dict[str, Any] | None:
    """Return what the card on the first page says, or None where nothing is to be earned."""
    found = nearest(person_id)
    return None if found is None else {"certificate": found}
