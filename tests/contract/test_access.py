"""Every route, every role, every relation: generated from the URL map.

Expectations are worked out here from the declaration alone, in a table of their own; the gate has
to come to the same answer for all of them. Then every page that can be read is really opened by
somebody who may, so that a declaration cannot hide a page that does not work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask, request, session
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from lms.db import db
from lms.errors import DomainError
from lms.people.access import RELATIONS, Declaration, Who, declaration_of
from lms.people.gate import declaration_for
from lms.people.models import Person
from tests.contract.samples import NoSample, Samples
from tests.factories.people import make_person

SKIPPED_METHODS = frozenset({"HEAD", "OPTIONS"})
FLAGS: dict[str, dict[str, bool]] = {
    "learner": {},
    "author": {"is_author": True},
    "manager": {"is_manager": True},
    "administrator": {"is_administrator": True},
}
# What a declaration must contain for a role, or for a relation, to be let in.
BY_ROLE = {
    "learner": set(),
    "author": {Who.AUTHOR},
    "manager": {Who.MANAGER},
    "administrator": {Who.ADMINISTRATOR},
}
BY_RELATION = {
    "self": {Who.SELF},
    "above": {Who.ABOVE},
    "above, indirectly": {Who.ABOVE},
    "stranger": set(),
}


@dataclass
class Company:
    """A learner who owns things, those above, and a stranger."""

    relations: dict[str, Person]

    @property
    def owner(self) -> Person:
        return self.relations["self"]


@pytest.fixture
def company(app: Flask) -> Company:
    top = make_person("Jonas Brandt")
    middle = make_person("Leila Haddad", manager=top)
    owner = make_person("Imani Okafor", manager=middle)
    stranger = make_person("Tomasz Wrona")
    return Company({"self": owner, "above": middle, "above, indirectly": top, "stranger": stranger})


def rules(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.endswith(".static"):
            yield rule


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - SKIPPED_METHODS)


def address(app: Flask, rule: Rule, samples: Samples) -> str:
    values = samples.values(rule)
    db.session.commit()
    return app.url_map.bind("localhost").build(rule.endpoint, values, method=methods(rule)[0])


def declared(app: Flask, rule: Rule) -> Declaration:
    found = declaration_for(rule.endpoint)
    assert found is not None, f"{rule.endpoint} declares nothing"
    return found


def test_every_route_declares_who_may_open_it(app: Flask) -> None:
    silent = [
        f"{rule.rule} ({rule.endpoint})"
        for rule in rules(app)
        if declaration_of(app.view_functions[rule.endpoint]) is None
    ]
    assert not silent, f"put @allow(...) on these views: {silent}"


def test_what_is_about_a_person_asks_for_the_relation(app: Flask) -> None:
    """A manager is not the manager of everybody: an address with a person in it must say so."""
    loose = [
        f"{rule.rule} ({rule.endpoint})"
        for rule in rules(app)
        if "person_uid" in rule.arguments
        and not declared(app, rule).reason
        and declared(app, rule).who - RELATIONS - {Who.ADMINISTRATOR}
    ]
    assert not loose, f"these name a person and open to people without relation: {loose}"


def test_relations_have_a_person_to_relate_to(app: Flask) -> None:
    aimless = [
        rule.endpoint
        for rule in rules(app)
        if declared(app, rule).who & RELATIONS
        and declared(app, rule).owner is None
        and "person_uid" not in rule.arguments
    ]
    assert not aimless, f"these need <person_uid> or owner=: {aimless}"


def test_every_route_for_every_role_and_relation(app: Flask, company: Company) -> None:
    samples = Samples(company.owner)
    cases: list[tuple[str, str, Declaration]] = []
    lacking: list[str] = []
    for rule in rules(app):
        try:
            path = address(app, rule, samples)
        except NoSample as error:
            lacking.append(str(error))
            continue
        cases += [(method, path, declared(app, rule)) for method in methods(rule)]
    assert not lacking, "\n".join(lacking)
    wrong: list[str] = []

    def check(who: str, key: str | None, admitted: Callable[[Declaration], bool]) -> None:
        for method, path, declaration in cases:
            if declaration.who & {Who.PUBLIC, Who.MACHINE} or admitted(declaration):
                expected = "reached"
            else:
                expected = "sent to sign in" if who == "anonymous" else "not found"
            got = _outcome(app, method, path, key)
            if got != expected:
                wrong.append(f"{method} {path} as {who}: {got}, should be {expected}")

    check("anonymous", None, lambda declaration: False)
    for relation, person in company.relations.items():
        for role, flags in FLAGS.items():
            for flag in ("is_author", "is_manager", "is_administrator"):
                setattr(person, flag, flags.get(flag, False))
            assert person.identity is not None
            key = person.identity.fs_uniquifier
            db.session.commit()
            lets_in = BY_ROLE[role] | BY_RELATION[relation] | {Who.SIGNED_IN}
            check(
                f"{role}, {relation}",
                key,
                lambda declaration, lets_in=lets_in: bool(declaration.who & lets_in),  # type: ignore[misc]
            )
    assert not wrong, "\n".join(wrong)


def _outcome(app: Flask, method: str, path: str, key: str | None) -> str:
    """What all that runs before a view says to the request; the view itself is not run."""
    with app.app_context(), app.test_request_context(path, method=method):
        if key is not None:
            session["_user_id"] = key
        try:
            answer = app.preprocess_request()
        except DomainError as error:
            return "not found" if error.status == 404 else f"{error.status}"
        if answer is None:
            return "reached" if request.endpoint else "no such route"
        made = app.make_response(answer)
        if made.status_code == 302 and made.location.startswith("/sign-in"):
            return "sent to sign in"
        return f"{made.status_code} {made.location}"


def test_every_page_opens_for_somebody_who_may(
    app: Flask, company: Company, sign_in: Callable[[Person], FlaskClient]
) -> None:
    samples = Samples(company.owner)
    broken: list[str] = []
    for rule in rules(app):
        if "GET" not in methods(rule):
            continue
        path = address(app, rule, samples)
        who = declared(app, rule).who
        if who & {Who.PUBLIC, Who.MACHINE}:
            status = app.test_client().get(path).status_code
            if status >= 500 and rule.endpoint != "web.healthz":
                broken.append(f"{path} ({rule.endpoint}) as anybody: {status}")
            continue
        viewer = company.relations["above" if who == {Who.ABOVE} else "self"]
        for flag, role in (
            ("is_author", Who.AUTHOR),
            ("is_manager", Who.MANAGER),
            ("is_administrator", Who.ADMINISTRATOR),
        ):
            setattr(viewer, flag, role in who)
        db.session.commit()
        status = sign_in(viewer).get(path).status_code
        if status == 404 or status >= 500:
            broken.append(f"{path} ({rule.endpoint}) as one of {sorted(who)}: {status}")
    assert not broken, "\n".join(broken)
