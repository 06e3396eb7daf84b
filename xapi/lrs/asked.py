"""Parameters that several resources take, read and checked; each names itself when it is wrong."""

from __future__ import annotations

import datetime as dt
from typing import Any

from xapi.lrs.calls import Call
from xapi.lrs.errors import Refused
from xapi.lrs.keys import find_agent_key, find_person_key
from xapi.lrs.reading import read_json
from xapi.lrs.types import find_moment, is_iri, is_uuid
from xapi.lrs.validate import check_agent

NAME_MOST = 2000  # characters of a stateId or profileId


def read_agent(call: Call) -> dict[str, Any]:
    """Return the agent or group that the required parameter `agent` gives."""
    agent: dict[str, Any] = read_json(_required(call, "agent").encode(), "The parameter agent")
    check_agent(agent, "agent")
    return agent


def read_agent_key(call: Call) -> str:
    """Return the key of the agent or identified group that is asked about."""
    return read_agent_keys(call)[0]


def read_agent_keys(call: Call) -> tuple[str, str]:
    """Return the key of the agent or identified group that is asked about, and its person's."""
    agent = read_agent(call)
    key, person = find_agent_key(agent), find_person_key(agent)
    if key is None or person is None:
        raise Refused("agent: a group without an identifier has nothing of its own")
    return key, person


def read_activity(call: Call) -> str:
    """Return the IRI that the required parameter `activityId` gives."""
    iri = _required(call, "activityId")
    if not is_iri(iri):
        raise Refused("activityId: must be an IRI")
    return iri


def read_registration(call: Call) -> str | None:
    """Return the registration, or None where there is none."""
    value = call.args.get("registration")
    if value is None:
        return None
    if not is_uuid(value):
        raise Refused("registration: must be a UUID")
    return value.lower()


def read_moment(call: Call, name: str) -> dt.datetime | None:
    """Return the moment a parameter gives, or None where there is none."""
    value = call.args.get(name)
    if value is None:
        return None
    # An unescaped plus arrives as a blank.
    moment = find_moment(value) or find_moment(value.replace(" ", "+"))
    if moment is None:
        raise Refused(f"{name}: must be an ISO 8601 timestamp")
    return moment


def read_name(call: Call, name: str) -> str:
    """Return the id of a document."""
    value = _required(call, name)
    if not value or len(value) > NAME_MOST or "\x00" in value:
        raise Refused(f"{name}: must be 1 to {NAME_MOST} characters, none of them NUL")
    return value


def _required(call: Call, name: str) -> str:
    value = call.args.get(name)
    if value is None:
        raise Refused(f"{name}: this parameter is required")
    return value
