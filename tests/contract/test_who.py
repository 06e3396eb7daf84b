"""Who may open what, written down a second time: a declaration that is loosened shows here.

`test_access` proves that the gate keeps what views declare; this table says what they should. For
each blueprint: who may open its views, then the views for whom others are meant.
"""

from __future__ import annotations

from flask import Flask

from lms.people.access import Who
from lms.people.gate import declaration_for
from tests.contract.test_access import rules

ANYBODY, SIGNED_IN, MACHINE = {Who.PUBLIC}, {Who.SIGNED_IN}, {Who.MACHINE}
AUTHOR, ADMINISTRATOR, OWNER = {Who.AUTHOR}, {Who.ADMINISTRATOR}, {Who.SELF}
OVER_PEOPLE, OVER_THEM = {Who.MANAGER, Who.ADMINISTRATOR}, {Who.ABOVE, Who.ADMINISTRATOR}

MEANT_FOR: dict[str, tuple[set[Who], dict[str, set[Who]]]] = {
    "web": (
        SIGNED_IN,
        {
            **dict.fromkeys(("healthz", "language", "security_txt", "change_password"), ANYBODY),
            **dict.fromkeys(("audit_log", "audit_log_of"), ADMINISTRATOR),
            **dict.fromkeys(("find_in_audit_log", "take_audit_log"), ADMINISTRATOR),
        },
    ),
    "people": (
        SIGNED_IN,
        {
            **dict.fromkeys(("sign_in", "enter_code", "by_link", "by_password", "join"), ANYBODY),
            "remove_passkey": OWNER,
        },
    ),
    "security": (SIGNED_IN, {"wan_signin": ANYBODY, "wan_signin_response": ANYBODY}),
    "people_admin": (ADMINISTRATOR, {}),
    "people_links": (ADMINISTRATOR, {}),
    "people_files": (ADMINISTRATOR, {}),
    "teams": (OVER_THEM, {"team": OVER_PEOPLE, "export": OVER_PEOPLE}),
    "notices": (SIGNED_IN, dict.fromkeys(("stopping", "stop_now"), ANYBODY)),
    "notices_one_click": (MACHINE, {}),
    "xapi_lrs": (MACHINE, {"about": ANYBODY, "described": ANYBODY}),
    "xapi_profile": (ANYBODY, {}),
    "xapi": (ADMINISTRATOR, {}),
    "certificates": (OWNER, dict.fromkeys(("mine", "earn", "check_now"), SIGNED_IN)),
    "certificates_verify": (ANYBODY, {}),
    "certificates_admin": (ADMINISTRATOR, {}),
    "courses": (SIGNED_IN, {"worker": ANYBODY, "preview": AUTHOR}),
    "authoring": (AUTHOR, {}),
    "courses_exchange": (AUTHOR, {}),
    "esn_intake": (MACHINE, {}),
    "esn": (ADMINISTRATOR, {}),
}


def test_every_view_is_open_to_those_it_is_meant_for_and_to_nobody_else(app: Flask) -> None:
    wrong = []
    for rule in rules(app):
        blueprint, _, view = rule.endpoint.partition(".")
        assert blueprint in MEANT_FOR, f"write into MEANT_FOR for whom {blueprint} is"
        meant, others = MEANT_FOR[blueprint]
        declaration = declaration_for(rule.endpoint)
        assert declaration is not None, rule.endpoint
        expected = others.get(view, meant)
        if set(declaration.who) != expected:
            wrong.append(f"{rule.endpoint}: {sorted(declaration.who)}, not {sorted(expected)}")
    assert not wrong, "\n".join(sorted(set(wrong)))
