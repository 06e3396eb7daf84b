"""Learning: what counts, what counts once, and what is recorded of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from courses.blocks.choice import choice_card
from courses.catalogue.services import publish, save_draft
from courses.progress import services
from courses.progress.missions import conditions
from courses.progress.models import Answer, Attempt, Completion
from courses.progress.scoring import needed, outcome
from courses.progress.walk import right_answer, take
from lms.db import db
from lms.errors import Invalid
from lms.evidence import Filter, Window, get_measure
from tests.factories.courses import make_course, make_document, make_path, question
from tests.factories.people import make_person
from tests.queries import counted
from tests.reading import sentences
from xapi.outbox.models import OutboxStatement


def recorded() -> list[dict[str, Any]]:
    """Return every recorded statement, in order."""
    rows = db.session.scalars(select(OutboxStatement).order_by(OutboxStatement.id))
    return [json.loads(row.text) for row in rows]


def told() -> list[str]:
    """Return the recorded statements in short: verb, and the end of the object's id."""
    return [
        f"{one['verb']['display']['en']} {one['object']['id'].rsplit('/activities/', 1)[1]}"
        for one in recorded()
    ]


def test_a_whole_course_tells_its_story_in_statements(app: Flask) -> None:
    person, course = make_person(), make_course("ask")
    attempt = take(person, course)
    db.session.commit()
    assert attempt.passed
    assert attempt.score_scaled == 1
    assert told() == [
        "initialized courses/ask/v1",
        "answered courses/ask/v1/cards/which",
        "completed courses/ask/v1/lessons/why",
        "progressed courses/ask/v1",
        "answered courses/ask/v1/cards/several",
        "answered courses/ask/v1/cards/last",
        "completed courses/ask/v1/lessons/ask",
        "progressed courses/ask/v1",
        "passed courses/ask/v1",
        "completed courses/ask/v1",
    ]
    for statement in recorded():
        assert statement["actor"]["account"]["name"] == person.uid
        assert statement["context"]["registration"] == attempt.registration
    several = recorded()[4]
    assert several["result"] == {
        "score": {"scaled": 1.0},
        "success": True,
        "response": "0[,]2",
    }
    extensions = [s.get("result", {}).get("extensions") for s in recorded()]
    assert [list(e.values()) for e in extensions if e] == [[57], [100]]


def test_failing_keeps_the_attempt_and_asks_the_questions_once_more(app: Flask) -> None:
    person, course = make_person(), make_course("ask")
    first = take(person, course, choose=lambda card: ["1"])
    assert (first.passed, first.score_scaled) == (False, pytest.approx(1 / 3))
    assert told()[-1] == "failed courses/ask/v1"
    assert db.session.scalars(select(Completion)).all() == []
    second = take(person, course)
    assert (second.number, second.questions_only, second.passed) == (2, True, True)
    assert second.registration != first.registration
    assert db.session.query(Attempt).count() == 2
    assert db.session.query(Answer).count() == 6
    assert told()[-2:] == ["passed courses/ask/v1", "completed courses/ask/v1"]
    assert services.start(person, course).id == second.id  # nothing more to begin


def test_the_first_answer_stands_and_is_told_once(app: Flask) -> None:
    person, course = make_person(), make_course()
    attempt = take(person, course, 2)
    first = services.answer(person, attempt, "which", ["0"])
    again = services.answer(person, attempt, "which", ["1"])
    assert (again.id, again.response, again.right) == (first.id, ["0"], False)
    assert len([line for line in told() if line.startswith("answered")]) == 1
    services.move_on(person, attempt, "which")
    services.move_on(person, attempt, "which")
    assert (attempt.reached, attempt.card_id) == (3, "so")
    services.move_on(person, attempt, "so")
    services.move_on(person, attempt, "so")
    assert [line for line in told() if "lessons/" in line] == [
        f"completed courses/{course.slug}/v1/lessons/why"
    ]


def test_cards_are_not_skipped(app: Flask) -> None:
    person, course = make_person(), make_course()
    attempt = take(person, course, 2)
    assert services.move_on(person, attempt, "last") == "which"
    with pytest.raises(Invalid, match="Choose an answer first"):
        services.move_on(person, attempt, "which")
    with pytest.raises(Invalid, match="Choose an answer first"):
        services.answer(person, attempt, "which", [])
    with pytest.raises(Invalid, match="does not belong"):
        services.answer(person, attempt, "which", ["7"])
    with pytest.raises(Invalid, match="asks nothing"):
        services.answer(person, attempt, "hello", ["0"])
    assert attempt.reached == 2


def test_who_is_in_mid_course_stays_on_the_version_they_began(app: Flask) -> None:
    early, late, course = make_person(), make_person(), make_course()
    first = take(early, course, 3)
    save_draft(course, make_document("Ask better"), course.draft_revision)
    publish(course)
    db.session.commit()
    assert services.start(early, course).version_id == first.version_id
    assert take(early, course).version_id == first.version_id
    assert services.start(late, course).version_id != first.version_id
    # and who is done may take the new one:
    again = services.start(early, course)
    assert (again.number, again.questions_only) == (2, False)
    assert again.version_id != first.version_id


def test_a_course_without_questions_or_without_a_bar_is_completed(app: Flask) -> None:
    person = make_person()
    document = make_document()
    quiet = replace(
        document,
        lessons=(replace(document.lessons[0], cards=document.lessons[0].cards[:2]),),
    )
    assert take(person, make_course("quiet", quiet)).passed is True
    unjudged = take(person, make_course("unjudged", pass_score=None), choose=lambda card: ["1"])
    assert unjudged.passed is None
    done = db.session.scalars(select(Completion.target)).all()
    assert sorted(done) == ["course/quiet", "course/unjudged"]


def test_the_measure_counts_courses_and_paths(app: Flask) -> None:
    person, other = make_person(), make_person()
    one, two = make_course("one"), make_course("two")
    make_path(one, two, slug="both")
    measure = get_measure("courses.completed")

    def value(target: str | None) -> list[tuple[int, int]]:
        return list(db.session.execute(measure.values(Window(), Filter(target=target))).tuples())

    take(person, one)
    take(other, one, 3)
    assert value("course/one") == [(person.id, 1)]
    assert value("path/both") == []
    take(person, two)
    assert value("path/both") == [(person.id, 1)]
    assert value(None) == [(person.id, 2)]
    assert told()[-1] == "completed paths/both"
    moment = services.completed_at(person.id, "path/both")
    assert moment is not None
    later = measure.values(Window(until=moment), Filter(target="path/both"))
    assert db.session.execute(later).all() == []
    with app.test_request_context():
        gap = measure.missing(other.id, Window(), Filter(target="course/one"), 1)
        assert (gap.met, sentences(gap.text)) == (False, "Finish the course “Ask well”.")
        assert gap.url == "/courses/one/"
        assert measure.missing(person.id, Window(), Filter(target="path/both"), 1).met


indexes = st.integers(0, 5)


@given(st.sets(indexes, min_size=1), st.sets(indexes, min_size=1))
def test_scoring_lies_between_nothing_and_all(right: set[int], chosen: set[int]) -> None:
    card = question("q", tuple(sorted(right)), options=6)
    data = dict(card.data) | {"multiple": True}
    score = choice_card.score(data, [str(n) for n in chosen])
    assert 0 <= score.scaled <= 1
    assert score.right == (chosen == right)
    assert (score.scaled == 1) == score.right
    everything = choice_card.score(data, [str(n) for n in range(6)])
    assert everything.scaled == max(0, 2 * len(right) - 6) / len(right)


@given(st.integers(1, 40), st.sampled_from([0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 1.0]))
def test_as_many_as_are_needed_pass_and_one_less_does_not(questions: int, bar: float) -> None:
    cards = [str(number) for number in range(questions)]
    count = needed(questions, bar)

    def passes(right: int) -> bool | None:
        return outcome(cards, dict.fromkeys(cards[:right], (1.0, True)), bar).passed

    assert passes(count)
    assert count == 0 or not passes(count - 1)


def test_answers_are_right_ones_by_default() -> None:
    assert right_answer(question("q", (0, 2))) == ["0", "2"]


def test_who_is_on_a_mission_is_found_without_reading_every_attempt(app: Flask) -> None:
    """It is asked with every delivery from a network."""
    take(make_person(), make_course("ask"), 1)
    with counted() as queries:
        assert len(conditions()) == 1
    asked = next(one for one in queries if "courses_attempt" in str(one))
    if db.engine.dialect.name == "sqlite":
        plan = db.session.execute(text(f"EXPLAIN QUERY PLAN {asked}")).all()
        assert "ix_courses_attempt_open" in str(plan)
