"""Many requests at the same moment: one answer, one statement, one attempt, one completion."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from courses.blocks.content import get_content
from courses.progress.models import Answer, Attempt, Completion
from courses.progress.walk import take
from lms.db import db
from lms.people.models import Person
from tests.factories.courses import make_course
from tests.factories.people import make_person
from xapi.outbox.models import OutboxStatement

TOGETHER = 50
SignIn = Callable[[Person], FlaskClient]


def at_once(browsers: list[FlaskClient], url: str, data: dict[str, str]) -> Counter[int]:
    """Post the same from every browser at a barrier; return how often each status came."""
    db.session.commit()
    barrier = threading.Barrier(len(browsers))
    statuses: list[int] = []

    def press(browser: FlaskClient) -> None:
        barrier.wait()
        statuses.append(browser.post(url, data=data).status_code)

    threads = [threading.Thread(target=press, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(statuses)


def verbs() -> Counter[str]:
    """Return how often each verb was recorded."""
    rows = db.session.scalars(select(OutboxStatement.text))
    known = ("initialized", "answered", "progressed", "passed", "completed")
    return Counter(verb for text in rows for verb in known if f'verbs/{verb}"' in text)


def test_fifty_posts_are_one_answer_and_one_statement(app: Flask, sign_in: SignIn) -> None:
    person, course = make_person(), make_course("ask")
    browsers = [sign_in(person) for _ in range(TOGETHER)]
    assert at_once(browsers, "/courses/ask/start", {}) == {303: TOGETHER}
    attempt = db.session.scalars(select(Attempt)).one()
    assert verbs() == {"initialized": 1}
    take(person, course, 2)
    get_content(attempt.version_id)
    data = {"attempt": attempt.registration, "act": "answer", "response": "1"}
    assert at_once(browsers, "/courses/ask/why/which", data) == {303: TOGETHER}
    assert db.session.query(Answer).count() == 1
    assert verbs() == {"initialized": 1, "answered": 1}
    go_on = {"attempt": attempt.registration, "act": "continue"}
    assert at_once(browsers, "/courses/ask/why/which", go_on) == {303: TOGETHER}
    db.session.refresh(attempt)
    assert (attempt.reached, attempt.card_id) == (3, "so")


def test_finishing_fifty_times_completes_once(app: Flask, sign_in: SignIn) -> None:
    person, course = make_person(), make_course("ask")
    attempt = take(person, course, 6)
    browsers = [sign_in(person) for _ in range(TOGETHER)]
    data = {"attempt": attempt.registration, "act": "continue"}
    assert at_once(browsers, "/courses/ask/ask/mission", data) == {303: TOGETHER}
    assert db.session.query(Completion).count() == 1
    assert verbs()["passed"] == 1
    assert verbs()["completed"] == 3  # two lessons and the course
