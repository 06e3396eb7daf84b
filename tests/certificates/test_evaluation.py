"""From evidence to award: once, incrementally, and again each night."""

from __future__ import annotations

import datetime as dt

import orjson
import pytest
from flask import Flask
from sqlalchemy import Select, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from certificates import awards, catalogue, evaluation
from certificates.models import (
    Award,
    Document,
    Origin,
    PublishedIsFinal,
    Recheck,
    RuleVersion,
    Sweep,
)
from certificates.rules import compile
from certificates.rules.compile import standings, standings_of, unavailable
from certificates.rules.parse import parse
from lms import clock
from lms.db import UtcDateTime, db, transaction
from lms.events import EvidenceChanged, publish
from lms.evidence import NOW, Filter, Source, Window
from lms.jobs.queue import run_pending
from lms.notices.models import Notice
from lms.people.models import Person
from tests.certificates import facts
from tests.factories.people import make_people, make_person
from tests.queries import counted
from xapi.outbox.models import OutboxStatement


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_an_award_comes_with_its_statement_its_notice_and_frozen_evidence(house: Flask) -> None:
    person = make_person("Imani Okafor")
    facts.earn_connected(person)
    run_pending()
    award = db.session.scalars(select(Award)).one()
    assert award.person_id == person.id
    assert award.definition.slug == "connected-colleague"
    assert [one["have"] for one in award.evidence["conditions"]] == [1, 3, 2, 1, 0]
    assert [one["asked"] for one in award.evidence["conditions"]] == [True] * 4 + [False]
    assert award.evidence["rule"]["digest"] == award.version.digest
    assert awards.is_intact(award)
    statement = db.session.scalars(select(OutboxStatement)).one()
    assert statement.statement_id == award.statement_id
    told = orjson.loads(statement.text)
    assert told["verb"]["id"] == "http://id.tincanapi.com/verb/earned"
    assert told["actor"]["account"]["name"] == person.uid
    assert told["object"]["id"].endswith("/activities/certificates/connected-colleague/v1")
    assert "Imani" not in statement.text
    notice = db.session.scalars(select(Notice)).one()
    assert (notice.kind, notice.person_id) == ("certificates.earned", person.id)
    assert count(Recheck) == 0


@pytest.mark.parametrize("short", ["path", "third colleague", "second day", "group"])
def test_whoever_lacks_one_condition_earns_nothing(house: Flask, short: str) -> None:
    person = make_person()
    if short != "path":
        facts.complete(person)
    for number in range(2 if short == "third colleague" else 3):
        day = 20_000 + (0 if short == "second day" else number % 2)
        facts.answer(person, 900 + number, day=day)
    if short != "group":
        facts.note(person, "joined", room="field-notes")
    run_pending()
    assert count(Award) == 0


def test_three_colleagues_over_a_month_are_not_three_within_fourteen_days(house: Flask) -> None:
    person = make_person()
    facts.complete(person)
    facts.note(person, "joined", room="field-notes")
    for number, day in enumerate((20_000, 20_010, 20_020)):
        facts.answer(person, 900 + number, day=day)
    run_pending()
    assert count(Award) == 0
    facts.answer(person, 903, day=20_012)
    facts.answer(person, 904, day=20_013)
    run_pending()
    assert count(Award) == 1


def test_a_phone_is_asked_for_once_a_network_says_which_client_is_used(house: Flask) -> None:
    facts.note(make_person(), "posted", client="desktop", day=20_000)
    person = make_person()
    facts.earn_connected(person)
    run_pending()
    assert count(Award) == 0
    facts.note(person, "reacted", client="mobile", day=20_005)
    run_pending()
    assert count(Award) == 1


def test_events_three_times_over_give_one_award_one_statement_one_notice(house: Flask) -> None:
    person = make_person()
    facts.earn_connected(person)
    for _ in range(3):
        publish(EvidenceChanged(frozenset({person.id})))
        db.session.commit()
        run_pending()
    with transaction():
        assert evaluation.evaluate([person.id, person.id]) == []
    assert (count(Award), count(OutboxStatement), count(Notice), count(Document)) == (1, 1, 1, 1)


def test_the_constraint_itself_holds(house: Flask) -> None:
    person = make_person()
    facts.earn_connected(person)
    run_pending()
    row = db.session.execute(select(Award.__table__)).mappings().one()
    values = dict(row) | {"id": 999, "uid": "other", "code_digest": "other"}
    with pytest.raises(IntegrityError):
        db.session.execute(Award.__table__.insert().values(**values))
    db.session.rollback()


def test_a_rule_that_fails_half_way_gives_nothing(
    house: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person()
    facts.earn_connected(person)

    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(awards, "send_many", fail)
        with pytest.raises(RuntimeError):
            evaluation.run()
    assert (count(Award), count(OutboxStatement), count(Document)) == (0, 0, 0)
    assert count(Recheck) > 0
    evaluation.run()
    assert (count(Award), count(OutboxStatement), count(Notice)) == (1, 1, 1)


def test_an_edit_is_a_new_version_and_voids_nothing(house: Flask) -> None:
    early, late = make_person(), make_person()
    facts.earn_connected(early)
    run_pending()
    text = (catalogue.LIBRARY / "connected-colleague.yaml").read_text()
    with transaction():
        second = catalogue.publish(text.replace("at_least: 3", "at_least: 4"), Origin.ADMINISTRATOR)
        assert second.number == 2
    run_pending()
    facts.earn_connected(late)
    run_pending()
    assert [award.person_id for award in db.session.scalars(select(Award))] == [early.id]
    facts.answer(late, 904, day=20_001)
    run_pending()
    versions = {
        award.person_id: award.version.number for award in db.session.scalars(select(Award))
    }
    assert versions == {early.id: 1, late.id: 2}


def test_a_published_version_cannot_be_changed_and_tampering_is_found(house: Flask) -> None:
    version = db.session.scalars(select(RuleVersion)).first()
    assert version is not None
    version.text = version.text.replace("at_least: 3", "at_least: 1")
    with pytest.raises(PublishedIsFinal):
        db.session.flush()
    db.session.rollback()
    assert len(catalogue.offered()) == 4
    with transaction() as session:  # somebody with the database in hand
        session.execute(
            update(RuleVersion)
            .where(RuleVersion.id == version.id)
            .values(text=func.replace(RuleVersion.text, "at_least: ", "at_least: 1"))
        )
    assert len(catalogue.offered()) == 3


def test_the_library_is_loaded_once_and_never_over_an_administrators_edit(house: Flask) -> None:
    assert count(RuleVersion) == 4
    with transaction():
        assert catalogue.load_library() == []
    text = (catalogue.LIBRARY / "visible-leader.yaml").read_text()
    with transaction():
        catalogue.publish(text.replace("at_least: 2", "at_least: 5"), Origin.ADMINISTRATOR)
    with transaction():
        assert catalogue.load_library() == []
    assert count(RuleVersion) == 5


def test_a_plugin_that_is_off_is_said_plainly_and_its_condition_cannot_be_met(
    house: Flask,
) -> None:
    for slug in list(house.extensions["lms.evidence"]):
        if slug.startswith("esn."):
            del house.extensions["lms.evidence"][slug]
    rule = catalogue.get_offered("connected-colleague").rule
    assert [one.id for one in unavailable(rule)] == ["colleagues", "second-day", "group", "phone"]
    person = make_person()
    facts.complete(person)
    run_pending()
    assert count(Award) == 0
    standing = standings(rule, [person.id])[0]
    assert (standing.met["first-30-days"], standing.met["colleagues"]) == (True, False)


def test_the_number_of_queries_is_the_same_for_few_and_for_many(house: Flask) -> None:
    rule = catalogue.get_offered("connected-colleague").rule
    people = [make_person().id for _ in range(120)]

    def queries(wanted: list[int]) -> int:
        with counted() as seen:
            assert len(standings(rule, wanted)) == len(wanted)
        return len(seen)

    # The values of all, and whether any network says which device is used.
    assert queries(people[:1]) == queries(people) == 2


def test_all_certificates_of_a_page_are_one_question_and_it_is_built_once(house: Flask) -> None:
    rules = [one.rule for one in catalogue.offered()]
    people = [make_person().id for _ in range(2)]
    standings_of(rules, people[:1])
    built = compile._statement.cache_info().misses
    with counted() as seen:
        found = standings_of(rules, people[1:])
    assert len(seen) == 2  # and whether any network says which device is used
    assert [len(one) for one in found] == [1] * len(rules)
    assert compile._statement.cache_info().misses == built


class Anniversary:
    """A measure that depends on the moment: 1 from the day on."""

    slug, label, unit = "test.anniversary", "", ""
    sources = frozenset({Source.RECORD})
    day = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)

    def values(self, window: Window, where: Filter) -> Select[tuple[int, int]]:
        return select(Person.id, literal(1)).where(literal(self.day, UtcDateTime()) <= NOW)


def test_a_kept_question_knows_the_moment(house: Flask) -> None:
    house.extensions["lms.evidence"][Anniversary.slug] = Anniversary()
    person = make_person()
    text = "slug: a\ntitle: A\nrequires:\n  all:\n    - {id: a, title: A, measure: {slug: test.anniversary}}"
    rule = parse(text)
    for days, holds in ((-1, False), (1, True), (-1, False)):
        with clock.travel(Anniversary.day + dt.timedelta(days=days)):
            assert standings(rule, [person.id])[0].holds is holds


def earners(count_: int) -> None:
    """Make people who have earned a certificate without anybody being told."""
    people = make_people(count_)
    done = [
        {"verb": "completed", "target": "path/first-30-days"},
        {"verb": "joined", "room": "field-notes", "day": 20_000},
        *({"verb": "replied", "recipient": 900 + n, "day": 20_000 + n % 2} for n in range(3)),
    ]
    usual = {"target": "", "recipient": None, "day": 0, "room": ""}
    rows = [{"person_id": one, **usual, **act} for one in people for act in done]
    db.session.execute(insert(facts.facts), rows)
    db.session.commit()


def test_a_sweep_gives_to_many_in_as_many_queries_as_to_few(house: Flask) -> None:
    evaluation.run()

    def queries(people: int) -> int:
        earners(people)
        catalogue.request_sweep("test")
        db.session.commit()
        before = count(Award)
        with counted() as seen:
            evaluation.run()
        assert count(Award) - before == people
        return len(seen)

    first, few, many = queries(1), queries(10), queries(evaluation.GIVE_STEP)
    assert first == few == many
    # For five hundred it took 3,400, one by one.
    assert queries(3 * evaluation.GIVE_STEP) < 2 * many


def test_who_holds_it_already_is_left_out_where_many_are_given_to(house: Flask) -> None:
    earners(3)
    evaluation.evaluate(db.session.scalars(select(Person.id)).all()[:2])
    db.session.commit()
    certificate = catalogue.get_offered("connected-colleague")
    everybody = db.session.scalars(select(Person.id).order_by(Person.id)).all()
    new = awards.give_all(certificate, standings(certificate.rule, everybody))
    assert [award.person_id for award in new] == [everybody[2]]
    assert (count(Award), count(OutboxStatement), count(Notice), count(Document)) == (3, 3, 3, 3)
    told = set(db.session.scalars(select(OutboxStatement.statement_id)))
    assert told == set(db.session.scalars(select(Award.statement_id)))
    assert all(awards.is_intact(award) for award in db.session.scalars(select(Award)))


def test_the_nightly_sweep_finds_what_no_event_told_and_runs_once_a_night(house: Flask) -> None:
    person = make_person()
    facts.earn_connected(person)
    db.session.execute(Recheck.__table__.delete())
    db.session.execute(update(Sweep).values(finished_at=clock.now()))
    db.session.commit()
    night = dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)
    with clock.travel(night):
        evaluation.run()
    assert count(Award) == 0
    sweeps = count(Sweep)
    for minutes in (31, 40, 500):
        with clock.travel(night + dt.timedelta(minutes=minutes)):
            evaluation.run()
    assert count(Award) == 1
    assert count(Sweep) == sweeps + 1
    with clock.travel(night + dt.timedelta(days=1, minutes=45)):
        evaluation.run()
    assert count(Sweep) == sweeps + 2


def test_people_who_are_not_active_are_left_out(house: Flask) -> None:
    person = make_person(active=False)
    facts.earn_connected(person)
    run_pending()
    assert count(Award) == 0
