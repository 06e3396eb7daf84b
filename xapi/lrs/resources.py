"""The document resources: state, agent profile, activity profile (Communication 2.2, 2.3, 2.6, 2.7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from os import SEEK_END
from tempfile import SpooledTemporaryFile

from flask import Response, request
from werkzeug.wsgi import wrap_file

from lms.people.access import Who, allow
from xapi.lrs import documents
from xapi.lrs.asked import (
    read_activity,
    read_agent_keys,
    read_moment,
    read_name,
    read_registration,
)
from xapi.lrs.bodies import check_whole
from xapi.lrs.calls import Call, Session
from xapi.lrs.credentials import PROFILE, STATE
from xapi.lrs.documents import Group, Preconditions
from xapi.lrs.errors import Forbidden, NoSuchThing, Refused
from xapi.lrs.keys import digest
from xapi.lrs.types import is_media_type
from xapi.lrs.views import PROOF, blueprint, enter, json_answer

_METHODS = ["GET", "PUT", "POST", "DELETE"]


@dataclass(frozen=True, slots=True)
class Resource:
    """One of the three: the scope it needs, its parameters, and how it reads them.

    many: whether all documents of a group may be removed at once.
    """

    scope: str
    name: str
    context: tuple[str, ...]
    group: Callable[[Call], Group]
    many: bool = False


def _group(call: Call, kind: str, activity: str = "", registration: str | None = None) -> Group:
    agent, person = read_agent_keys(call)
    return Group(kind, agent, activity, registration, person)


STATES = Resource(
    STATE,
    "stateId",
    ("activityId", "agent", "registration"),
    lambda call: _group(
        call, "state", digest(read_activity(call)), registration=read_registration(call)
    ),
    many=True,
)
AGENT_PROFILES = Resource(PROFILE, "profileId", ("agent",), lambda call: _group(call, "agent"))
ACTIVITY_PROFILES = Resource(
    PROFILE,
    "profileId",
    ("activityId",),
    lambda call: Group("activity", activity=digest(read_activity(call))),
)


@blueprint.route("/activities/state", methods=_METHODS)
@allow(Who.MACHINE, reason=PROOF)
def state() -> Response:
    """Keep what an activity remembers of an agent (Communication 2.3)."""
    return _serve(STATES)


@blueprint.route("/agents/profile", methods=_METHODS)
@allow(Who.MACHINE, reason=PROOF)
def agent_profile() -> Response:
    """Keep documents about an agent (Communication 2.6)."""
    return _serve(AGENT_PROFILES)


@blueprint.route("/activities/profile", methods=_METHODS)
@allow(Who.MACHINE, reason=PROOF)
def activity_profile() -> Response:
    """Keep documents about an activity (Communication 2.7)."""
    return _serve(ACTIVITY_PROFILES)


def _serve(resource: Resource) -> Response:
    call, session = enter()
    acts = {"GET": _get, "HEAD": _get, "PUT": _put, "POST": _post, "DELETE": _delete}
    if not session.caller.may_keep(resource.scope, reading=acts[call.method] is _get):
        raise Forbidden("The scope of this credential does not reach these documents.")
    return acts[call.method](resource, call, session)


def _get(resource: Resource, call: Call, _session: Session) -> Response:
    if resource.name not in call.args:
        call.only(*resource.context, "since")
        names, last = documents.list_names(resource.group(call), read_moment(call, "since"))
        response = _answer_from(names)
        if last is not None:
            response.headers["Last-Modified"] = format_datetime(last, usegmt=True)
        return response
    call.only(*resource.context, resource.name)
    name = read_name(call, resource.name)
    found = documents.find_document(resource.group(call), name)
    if found is None:
        raise NoSuchThing(f"No such document is kept: {name[:200]}")
    if _preconditions(call).unchanged(found.etag):
        response = Response(status=304)
    else:
        response = Response(found.content, content_type=found.content_type)
    response.headers["ETag"] = f'"{found.etag}"'
    response.headers["Last-Modified"] = format_datetime(found.updated, usegmt=True)
    # Whoever wrote it chose its type: a browser must never show it as a page of ours.
    response.headers["Content-Disposition"] = "attachment"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _answer_from(file: SpooledTemporaryFile[bytes]) -> Response:
    """Return an answer in JSON; what is long is read from the file while it is sent."""
    length = file.seek(0, SEEK_END)
    file.seek(0)
    if length <= documents.LISTED_IN_MEMORY:
        with file:
            return json_answer(file.read())
    response = Response(
        wrap_file(request.environ, file), content_type="application/json", direct_passthrough=True
    )
    response.content_length = length
    response.call_on_close(file.close)  # HEAD does not read it
    return response


def _put(resource: Resource, call: Call, session: Session) -> Response:
    check_whole(call.headers)
    call.only(*resource.context, resource.name)
    group, name = resource.group(call), read_name(call, resource.name)
    asked = _preconditions(call)
    # 1.0.3 lets states be put without a word about what was there; 2.0 lets nothing.
    strict = resource.scope == PROFILE or session.version == 2
    documents.put(group, name, _content_type(call), call.body, asked, strict)
    if resource.scope == PROFILE and not asked.given:
        raise Refused("If-Match or If-None-Match: one of these headers is required")
    return Response(status=204)


def _post(resource: Resource, call: Call, _session: Session) -> Response:
    check_whole(call.headers)
    call.only(*resource.context, resource.name)
    group, name = resource.group(call), read_name(call, resource.name)
    documents.post(group, name, _content_type(call), call.body, _preconditions(call))
    return Response(status=204)


def _delete(resource: Resource, call: Call, _session: Session) -> Response:
    call.only(*resource.context, resource.name)
    group = resource.group(call)
    if resource.many and resource.name not in call.args:
        documents.remove_all(group, _preconditions(call))
    else:
        documents.remove(group, read_name(call, resource.name), _preconditions(call))
    return Response(status=204)


def _preconditions(call: Call) -> Preconditions:
    return Preconditions(call.headers.get("If-Match"), call.headers.get("If-None-Match"))


def _content_type(call: Call) -> str:
    given = call.headers.get("Content-Type", "application/octet-stream").strip()
    fits = len(given) <= 200 and given.isascii() and given.isprintable()
    if not fits or not is_media_type(given):
        raise Refused("Content-Type: must be an internet media type of at most 200 characters")
    return given
