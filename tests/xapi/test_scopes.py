"""What each scope may do, written down a second time: scope by resource by method, generated."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask import Flask

from tests.xapi.lrs import ACTIVITY, ACTOR, Provider, statement
from xapi.lrs.scopes import SCOPES, Caller
from xapi.vocabulary import VOIDED

READERS = {"all", "all/read", "statements/read", "statements/read/mine"}
WRITERS = {"all", "statements/write"}
KNOWERS = {"all", "all/read", "statements/read", "profile"}
READ, CHANGE = ("GET", "HEAD"), ("PUT", "POST", "DELETE")
AGENT = orjson.dumps(ACTOR).decode()
DOCUMENTS = {
    "activities/state": (
        "state", {"agent": AGENT, "activityId": ACTIVITY["id"], "stateId": "s"}
    ),
    "activities/profile": ("profile", {"activityId": ACTIVITY["id"], "profileId": "p"}),
    "agents/profile": ("profile", {"agent": AGENT, "profileId": "p"}),
}  # fmt: skip


def table() -> dict[tuple[str, str], set[str]]:
    """Return who may do what: (method, resource) to the scopes that suffice."""
    found = {("GET", "statements"): READERS, ("HEAD", "statements"): READERS,
             ("PUT", "statements"): WRITERS, ("POST", "statements"): WRITERS}  # fmt: skip
    for resource, (scope, _query) in DOCUMENTS.items():
        found |= {(method, resource): {"all", "all/read", scope} for method in READ}
        found |= {(method, resource): {"all", scope} for method in CHANGE}
    for resource in ("agents", "activities"):
        found |= {(method, resource): KNOWERS for method in READ}
    return found | {(method, "about"): set(SCOPES) for method in READ}


def request(method: str, resource: str) -> dict[str, Any]:
    """Return what makes a good request: query, body, headers."""
    if resource == "statements":
        told = statement()
        if method == "PUT":
            return {"query_string": {"statementId": told["id"]}, "json": told}
        return {"json": told} if method == "POST" else {}
    if resource == "agents":
        return {"query_string": {"agent": AGENT}}
    if resource == "activities":
        return {"query_string": {"activityId": ACTIVITY["id"]}}
    if resource == "about":
        return {}
    query = {"query_string": DOCUMENTS[resource][1]}
    if method in ("PUT", "POST"):
        return {**query, "json": {"a": 1}, "headers": {"If-None-Match": "*"}}
    return query


@pytest.mark.parametrize("scope", SCOPES)
def test_each_scope_on_each_resource_by_each_method(app: Flask, scope: str) -> None:
    provider, wrong = Provider(app, (scope,)), []
    for (method, resource), enough in table().items():
        answer = provider.ask(method, resource, **request(method, resource))
        allowed = answer.status_code not in (401, 403)
        if allowed != (scope in enough):
            wrong.append(f"{method} {resource}: {answer.status_code}")
        if allowed:
            assert answer.status_code < 300 or answer.status_code in (404, 409, 412), answer.text
        elif method != "HEAD":
            sentence = answer.json["error"]
            assert sentence.endswith("."), sentence
            assert "credential" in sentence, sentence
    assert not wrong, f"{scope}: {wrong}"


@pytest.mark.parametrize("scope", SCOPES)
def test_only_all_may_void(app: Flask, scope: str) -> None:
    target = Provider(app).post(statement())[0]
    void = statement(verb={"id": VOIDED.iri}, object={"objectType": "StatementRef", "id": target})
    answer = Provider(app, (scope,)).ask("POST", json=void)
    assert answer.status_code == (200 if scope == "all" else 403)


def known(provider: Provider, iri: str) -> Any:
    """Return what is known of an activity."""
    answer = provider.ask("GET", "activities", query_string={"activityId": iri})
    return answer.json.get("definition")


@pytest.mark.parametrize("scope", ["statements/write", "define"])
def test_only_who_may_define_changes_what_is_known(app: Flask, scope: str) -> None:
    """xAPI 1.0.3, Communication 4.0, scope define: ids are saved, definitions are not updated."""
    everything = Provider(app)
    iri = "http://example.test/activities/defined"
    first = {"id": iri, "definition": {"name": {"en": "First"}}}
    everything.post(statement(object=first))
    provider = Provider(app, ("statements/write", scope, "statements/read/mine"))
    told = statement(
        actor={**ACTOR, "name": "Another"},
        object={"id": iri, "definition": {"name": {"en": "Second"}}},
    )
    provider.post(told)
    may = scope == "define"
    assert known(everything, iri) == {"name": {"en": "Second" if may else "First"}}
    person = everything.ask("GET", "agents", query_string={"agent": AGENT}).json
    assert person.get("name") == (["Another"] if may else None)
    # The statement itself is kept as it came, and is found by what it names.
    [found] = provider.find_statements(activity=iri, agent=AGENT)
    assert found["object"]["definition"] == {"name": {"en": "Second"}}
    assert found["actor"]["name"] == "Another"


@pytest.mark.parametrize("scope", sorted(READERS))
def test_own_statements_are_all_that_mine_shows(app: Flask, scope: str) -> None:
    strange = Provider(app).post(statement())[0]
    provider = Provider(app, tuple({scope, "statements/write"}))
    own = provider.post(statement())[0]
    seen = {own} if scope == "statements/read/mine" else {own, strange}
    assert set(provider.find()) == seen
    answer = provider.ask("GET", query_string={"statementId": strange})
    assert answer.status_code == (200 if strange in seen else 404)


@pytest.mark.parametrize(
    "may",
    [
        lambda caller: caller.may_read,
        lambda caller: caller.may_write,
        lambda caller: caller.may_know,
        lambda caller: caller.may_void,
        lambda caller: caller.may_define,
        lambda caller: caller.may_keep("state", reading=True),
        lambda caller: caller.may_keep("profile", reading=False),
        lambda caller: not caller.only_own,
    ],
)
def test_scopes_together_may_what_each_may_and_no_more(may: Callable[[Caller], bool]) -> None:
    for count in range(len(SCOPES) + 1):
        for some in itertools.combinations(SCOPES, count):
            together = may(Caller(str(uuid.uuid4()), frozenset(some)))
            assert together == any(may(Caller("x", frozenset({one}))) for one in some)
