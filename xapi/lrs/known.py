"""What is known of an agent, and of an activity (xAPI 1.0.3, Communication 2.4 and 2.5)."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response
from sqlalchemy import select

from lms.db import db
from lms.people.access import Who, allow
from xapi.lrs.asked import read_activity, read_agent
from xapi.lrs.calls import Call
from xapi.lrs.errors import Forbidden, Refused
from xapi.lrs.keys import digest, find_agent_key, find_identifier
from xapi.lrs.models import LrsActivity, LrsAgent
from xapi.lrs.views import PROOF, blueprint, enter, json_answer


@blueprint.route("/agents", methods=["GET", "POST"])
@allow(Who.MACHINE, reason=PROOF)
def agents() -> Response:
    """Answer with a Person: every identifier known of one agent, and of no other."""
    call = _enter_reading("agent")
    agent = read_agent(call)
    key = find_agent_key(agent)
    if agent.get("objectType", "Agent") != "Agent" or key is None:
        raise Refused("agent: must be one agent, not a group")
    # Statements say one identifier each, so that nothing ever joins two of them.
    person: dict[str, Any] = {"objectType": "Person"}
    for name, value in (find_identifier(agent) or {}).items():
        person[name] = [value]
    known = db.session.scalar(select(LrsAgent.name).where(LrsAgent.key == key))
    if known:
        person["name"] = [known]
    return json_answer(orjson.dumps(person))


@blueprint.route("/activities", methods=["GET", "POST"])
@allow(Who.MACHINE, reason=PROOF)
def activities() -> Response:
    """Answer with an activity and its whole definition, in every language."""
    iri = read_activity(_enter_reading("activityId"))
    activity: dict[str, Any] = {"objectType": "Activity", "id": iri}
    definition = db.session.scalar(
        select(LrsActivity.definition).where(LrsActivity.key == digest(iri))
    )
    if definition:
        activity["definition"] = definition
    return json_answer(orjson.dumps(activity))


def _enter_reading(parameter: str) -> Call:
    """Return the call, which may only read, with this one parameter."""
    call, session = enter()
    if call.method not in ("GET", "HEAD"):
        raise Refused("method: this resource knows GET and HEAD")
    if not session.caller.may_know:
        raise Forbidden("The scope of this credential does not reach this resource.")
    call.only(parameter)
    return call
