"""Whole rules over the real measures, against counting by hand: all or any, of completions and of use."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from certificates.catalogue import publish
from certificates.models import Award, Origin
from certificates.rules.compile import holders, standings
from certificates.rules.model import Rule
from certificates.rules.parse import parse
from courses.progress.walk import take
from lms import clock
from lms.db import db
from lms.events import EvidenceChanged
from lms.events import publish as tell
from lms.jobs.queue import run_pending
from tests.factories.courses import make_course
from tests.factories.esn import act, deliver, make_connector
from tests.factories.people import make_person

DAYS = 30
PEOPLE = 8
RULES = 60

Act = dict[str, Any]


def a_life(dice: random.Random, person: int, start: dt.datetime) -> list[Act]:
    """Return what one person did in a month: little or much, with whom, where, on what device."""
    return [
        act(
            f"u{person}",
            dice.choice(("replied", "replied", "posted", "joined")),
            at=(start + dt.timedelta(days=dice.randrange(DAYS), hours=dice.randrange(20))).isoformat(),
            recipient=f"u{dice.randrange(PEOPLE)}",
            group=f"g{dice.randrange(4)}",
            group_kind=dice.choice(("work", "social")),
            client=dice.choice(("mobile", "desktop")),
        )
        for _ in range(dice.randrange(14))
    ]  # fmt: skip


def a_rule(dice: random.Random) -> str:
    """Return a rule as an administrator would write it."""
    conditions: list[dict[str, Any]] = []
    for number in range(dice.randint(1, 3)):
        if dice.random() < 0.3:
            conditions.append(
                {
                    "completed": f"course/{dice.choice(('one', 'two'))}",
                    "id": f"c{number}",
                    "title": "A course",
                    "proved": "A course",
                }
            )
            continue
        usage: dict[str, Any] = {
            "verb": dice.choice(("replied", "posted", "joined", "any")),
            "at_least": dice.randint(1, 4),
        }
        if dice.random() < 0.7:
            usage["distinct"] = dice.choice(("recipient", "day", "group"))
        if dice.random() < 0.3:
            usage["client"] = "mobile"
        if dice.random() < 0.3:
            usage["in"] = {"group_kind": "work"}
        one = {"id": f"c{number}", "title": "Use", "proved": "Use", "usage": usage}
        if dice.random() < 0.6:
            one["within"] = f"{dice.choice((1, 7, 14))}d"
        conditions.append(one)
    rule = {
        "slug": "made",
        "title": "Made",
        "requires": {dice.choice(("all", "any")): conditions},
    }
    return yaml.safe_dump(rule, sort_keys=False)


def by_hand(text: str, acts: list[Act], done: set[str], me: str) -> bool:
    """Whether a rule holds for somebody, read from its text and counted act by act."""
    ((need, conditions),) = yaml.safe_load(text)["requires"].items()
    met = [_is_met(one, acts, done, me) for one in conditions]
    return all(met) if need == "all" else any(met)


def _is_met(condition: dict[str, Any], acts: list[Act], done: set[str], me: str) -> bool:
    if "completed" in condition:
        return condition["completed"] in done
    usage = condition["usage"]
    counted = [
        (dt.datetime.fromisoformat(one["at"]).date(), one)
        for one in acts
        if usage["verb"] in ("any", one["verb"])
        and usage.get("client", one["client"]) == one["client"]
        and usage.get("in", {}).get("group_kind", one["group_kind"]) == one["group_kind"]
        and one["recipient"] != me  # what is done for oneself is not done for others
    ]
    span = int(condition.get("within", "10000d")[:-1])
    best = 0
    for last, _one in counted:
        inside = [(day, one) for day, one in counted if 0 <= (last - day).days < span]
        what = usage.get("distinct")
        if what is None:
            best = max(best, len(inside))
        else:
            best = max(best, len({day if what == "day" else one[what] for day, one in inside}))
    return best >= usage["at_least"]


@pytest.mark.parametrize("seed", [1, 20261123, 77])
def test_a_rule_holds_for_whom_it_holds_when_counted_by_hand(
    app: Flask, client: FlaskClient, seed: int
) -> None:
    dice = random.Random(seed)
    start = (clock.now() - dt.timedelta(days=DAYS + 5)).replace(hour=1)
    courses = {slug: make_course(slug) for slug in ("one", "two")}
    people = [make_person(email=f"p{number}@example.test") for number in range(PEOPLE)]
    lives = {person.id: a_life(dice, number, start) for number, person in enumerate(people)}
    done: dict[int, set[str]] = {person.id: set() for person in people}
    for person in people:
        for slug, course in courses.items():
            if dice.random() < 0.4:
                take(person, course)
                done[person.id].add(f"course/{slug}")
    db.session.commit()
    connector, secret = make_connector()
    accounts = [{"id": f"u{one}", "email": f"p{one}@example.test"} for one in range(PEOPLE)]
    everything = [one for life in lives.values() for one in life]
    dice.shuffle(everything)
    assert deliver(client, connector, secret, everything, accounts).status_code == 202
    run_pending()
    ids = [person.id for person in people]
    names = {person.id: f"u{number}" for number, person in enumerate(people)}
    seen = {"all": [0, 0], "any": [0, 0]}
    for _ in range(RULES):
        text = a_rule(dice)
        rule: Rule = parse(text)
        expected = {one for one in ids if by_hand(text, lives[one], done[one], names[one])}
        assert {row.person_id for row in holders(rule, ids)} == expected, text
        assert {row.person_id for row in standings(rule, ids) if row.holds} == expected, text
        seen[rule.need.value][bool(expected)] += 1
    assert all(min(found) > 0 for found in seen.values()), seen  # both answers, for both needs


def test_any_one_of_them_earns_the_certificate(app: Flask, client: FlaskClient) -> None:
    learned, active, neither = (
        make_person(name, email=f"{name[:2]}@example.test".lower())
        for name in ("Imani Okafor", "Tomasz Wrona", "Leila Haddad")
    )
    course = make_course("one")
    publish(
        """
slug: either
title: Either
requires:
  any:
    - {completed: course/one, title: A course, proved: A course}
    - id: answers
      title: Answer colleagues
      proved: Answered two colleagues
      usage: {verb: replied, at_least: 2, distinct: recipient}
      within: 14d
""",
        Origin.ADMINISTRATOR,
    )
    db.session.commit()
    take(learned, course)
    db.session.commit()
    connector, secret = make_connector()
    accounts = [{"id": "to", "email": "to@example.test"}, {"id": "le", "email": "le@example.test"}]
    events = [act("to", recipient="x"), act("to", recipient="y"), act("le", recipient="x")]
    assert deliver(client, connector, secret, events, accounts).status_code == 202
    tell(EvidenceChanged(frozenset({neither.id})))
    db.session.commit()
    run_pending()
    awards = {row.person_id: row for row in db.session.scalars(select(Award))}
    assert set(awards) == {learned.id, active.id}
    assert awards[learned.id].printed["proved"] == ["A course"]
    assert awards[active.id].printed["proved"] == ["Answered two colleagues"]
