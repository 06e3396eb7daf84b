"""Which routes are for machines alone: they have no session, no person, and headers of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from lms.people.access import MACHINES_ALONE, Who, allow, declaration_of
from lms.people.gate import is_for_machines

VIEWS: dict[str, tuple[Who, ...]] = {
    "machine": (Who.MACHINE,),
    "both": (Who.MACHINE, Who.SIGNED_IN),
    "public": (Who.PUBLIC,),
    "person": (Who.SIGNED_IN,),
}


@pytest.fixture
def routed(app: Flask) -> Flask:
    def view() -> str:
        return "yes" if is_for_machines() else "no"

    def declared(who: tuple[Who, ...]) -> Callable[[], str]:
        def one() -> str:
            return view()

        return allow(*who, reason="a test's own")(one)

    for name, who in VIEWS.items():
        app.add_url_rule(f"/for/{name}", name, declared(who))
    app.add_url_rule("/for/nobody", "nobody", view)
    return app


@pytest.mark.parametrize("name", [*VIEWS, "nobody"])
def test_a_route_is_for_machines_where_it_declares_nothing_else(routed: Flask, name: str) -> None:
    with routed.test_request_context(f"/for/{name}"):
        assert is_for_machines() == (name == "machine")


def test_what_is_no_route_is_not_for_machines(routed: Flask) -> None:
    with routed.test_request_context("/there/is/no/such/thing"):
        assert not is_for_machines()


def test_machines_get_no_session_and_their_own_headers(routed: Flask) -> None:
    browser = routed.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = "somebody"
    answer = browser.get("/for/machine")
    assert answer.text == "yes"
    assert not any(one.startswith("ropes=") for one in answer.headers.getlist("Set-Cookie"))
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "script-src" in browser.get("/for/public").headers["Content-Security-Policy"]


def test_the_doors_of_the_record_store_are_for_machines(app: Flask) -> None:
    doors = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("xapi_lrs.")]
    alone = {
        rule.rule
        for rule in doors
        if (found := declaration_of(app.view_functions[rule.endpoint])) is not None
        and found.who == MACHINES_ALONE
    }
    assert {"/xapi/statements", "/xapi/statements/more/<token>", "/xapi/activities/state"} <= alone
    for rule in alone:
        with app.test_request_context(rule.replace("<token>", "x")):
            assert is_for_machines(), rule
