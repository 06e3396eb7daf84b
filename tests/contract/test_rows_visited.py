"""What a page asks of the database grows with the person whom it is about, not with the company.

Every page of learners and managers is opened in a company of a few, and again when hundreds
of others have joined it, with all that they do: the work of the database must not grow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text
from werkzeug.routing import Rule

from certificates.models import Award, Definition, RuleVersion
from courses.catalogue.models import Course, CourseVersion
from courses.paths.models import Enrolment, Path
from courses.progress.models import Attempt, Completion, new_registration
from esn.models import Connector
from lms import clock
from lms.db import db
from lms.notices.models import Notice
from lms.people.access import Who
from lms.people.gate import declaration_for
from lms.people.models import Person, new_uid
from tests.contract.samples import Samples
from tests.factories.esn import make_acts, make_connector
from tests.factories.people import make_people, make_person
from tests.plans import work
from xapi.outbox.models import OutboxStatement

FEW, MANY = 20, 400
# A page of twenty lines may stand in a company of nine: what may be added, whatever is there.
ALLOWED = 1.25, 400
# Of these the work still grows, and why; whoever mends one takes it out.
GROWING: dict[str, str] = {}
# PostgreSQL takes another way when tables are small; what it takes is its own to choose.
PLANNED_OTHERWISE = ("teams.team", "teams.export")
NOT_PAGES = frozenset({"web.healthz"})
PRESSED = "certificates.check_now"  # a button by which certificates are given


def join(people: int, manager: Person) -> None:
    """Let people join who work on all that there is, in the network too; commit."""
    ids, now = make_people(people, manager), clock.now()
    paths = db.session.scalars(select(Path)).all()
    versions = db.session.execute(select(Course, CourseVersion.id).join(CourseVersion)).all()
    rule = db.session.execute(
        select(RuleVersion.definition_id, RuleVersion.id).join(Definition).order_by(Definition.slug)
    ).first()
    assert rule is not None
    for model, rows in (
        (Enrolment, [{"path_id": path.id, "enrolled_at": now, "due_at": now} for path in paths]),
        (Completion, [{"target": f"path/{path.slug}", "completed_at": now} for path in paths]),
    ):
        db.session.execute(
            insert(model), [{"person_id": one, **row} for one in ids for row in rows]
        )
    db.session.execute(
        insert(Attempt),
        [
            {"registration": new_registration(), "person_id": one, "course_id": course.id,
             "version_id": version_id, "number": 1, "card_id": "hello", "started_at": now,
             "seen_at": now}
            for one in ids
            for course, version_id in {course.id: (course, made) for course, made in versions}.values()
        ],
    )  # fmt: skip
    db.session.execute(
        insert(Award),
        [
            {"person_id": one, "definition_id": rule.definition_id, "version_id": rule.id,
             "code": new_uid(), "code_digest": new_uid(), "earned_at": now, "evidence": {},
             "evidence_salt": "", "evidence_digest": "", "statement_id": "", "printed": {}}
            for one in ids
        ],
    )  # fmt: skip
    db.session.execute(
        insert(Notice),
        [
            {"key": new_uid(), "person_id": one, "kind": "certificates.earned", "created_at": now,
             "next_try_at": now, "data": {"title": "x", "path": "/"}}
            for one in ids
        ],
    )  # fmt: skip
    db.session.execute(
        insert(OutboxStatement),
        [
            {"statement_id": new_uid(), "person_id": one, "recorded_at": now, "text": "{}"}
            for one in ids
        ],
    )
    connector = db.session.scalars(select(Connector).where(Connector.kind == "webhook")).one()
    make_acts(connector, ids, 10)
    if db.engine.dialect.name == "postgresql":  # it plans by what it knows of the tables
        db.session.execute(text("ANALYZE"))
    db.session.commit()


def pages(app: Flask, samples: Samples) -> Iterator[tuple[Rule, str, frozenset[Who]]]:
    """Yield the address of every page, and to whom it is open."""
    for rule in app.url_map.iter_rules():
        declaration = declaration_for(rule.endpoint)
        is_file = rule.endpoint.endswith(".static") or rule.endpoint in NOT_PAGES
        is_page = "GET" in (rule.methods or ()) or rule.endpoint == PRESSED
        if declaration is not None and is_page and not is_file:
            values = samples.values(rule)
            method = "POST" if rule.endpoint == PRESSED else "GET"
            address = app.url_map.bind("localhost").build(rule.endpoint, values, method=method)
            yield rule, address, declaration.who


def measure(browser: FlaskClient, endpoint: str, address: str) -> Counter[str]:
    """Return the database's work for a page, the second time that it is opened."""
    ask = browser.post if endpoint == PRESSED else browser.get
    assert ask(address).status_code < 500, address
    with work() as done:
        assert ask(address).status_code < 500, address
    return done


@pytest.mark.timeout(600)
def test_the_work_for_a_page_does_not_grow_with_the_company(
    app: Flask, sign_in: Callable[[Person], FlaskClient]
) -> None:
    manager = make_person("Leila Haddad", is_manager=True)
    learner = make_person("Imani Okafor", manager=manager)
    elsewhere = make_person("Jonas Brandt", is_manager=True)
    addresses = list(pages(app, Samples(learner)))
    connector, _secret = make_connector()
    make_acts(connector, [learner.id, manager.id], 10)
    viewers = (
        (sign_in(learner), {Who.SIGNED_IN, Who.SELF, Who.PUBLIC}),
        (sign_in(manager), {Who.SIGNED_IN, Who.MANAGER, Who.ABOVE}),
    )
    opened = [
        (browser, rule.endpoint, address)
        for rule, address, open_to in addresses
        for browser, may in viewers
        if open_to & may
    ]
    assert len(opened) > 40
    join(FEW, elsewhere)
    before = [measure(*one) for one in opened]
    join(MANY, elsewhere)
    after = [measure(*one) for one in opened]
    grown = {
        endpoint: f"{few.total()} -> {many.total()}: {(many - few).most_common(1)[0][0][:2000]}"
        for (_browser, endpoint, _address), few, many in zip(opened, before, after, strict=True)
        if many.total() > few.total() * ALLOWED[0] + ALLOWED[1]
    }
    on_postgresql = db.engine.dialect.name == "postgresql"
    known = {*GROWING, *(PLANNED_OTHERWISE if on_postgresql else ())}
    new = {endpoint: how for endpoint, how in grown.items() if endpoint not in known}
    assert not new, "\n".join(f"{endpoint}: {how}" for endpoint, how in new.items())
    mended = GROWING.keys() - grown.keys()
    assert not mended or on_postgresql, (
        f"the work for {mended} does not grow any more: take it out of GROWING"
    )
