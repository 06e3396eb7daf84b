"""The statement resource (xAPI 1.0.3, Communication 2.1; IEEE 9274.1.1, 4.1.6.1)."""

from __future__ import annotations

import base64
import datetime as dt
from email.utils import format_datetime
from typing import Any

import orjson
from flask import Response, current_app, g, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from lms.db import abandon, row_number
from lms.people.access import Who, allow
from xapi.build import REMOVED
from xapi.lrs import multipart
from xapi.lrs.asked import read_agent_key, read_moment, read_registration
from xapi.lrs.attached import contents
from xapi.lrs.calls import Call, Session
from xapi.lrs.consistency import find_quiet_moment
from xapi.lrs.credentials import authority_of, is_credential
from xapi.lrs.errors import Forbidden, NoSuchThing, Oversized, Refused
from xapi.lrs.formats import as_canonical, as_ids
from xapi.lrs.keys import find_agent_key
from xapi.lrs.parts import undefined
from xapi.lrs.query import PAGE_MOST, Wanted, find_one, find_page
from xapi.lrs.reading import read_json
from xapi.lrs.signatures import check_signatures
from xapi.lrs.store import Prepared, iso, last_place, prepare, store
from xapi.lrs.types import find_moment, is_iri, is_uuid
from xapi.lrs.views import PROOF, blueprint, enter, json_answer

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
CONSISTENT_THROUGH = "X-Experience-API-Consistent-Through"
_SINGLE = ("statementId", "voidedStatementId")
_FILTERS = (
    "agent",
    "verb",
    "activity",
    "registration",
    "related_activities",
    "related_agents",
    "since",
    "until",
    "limit",
    "ascending",
)
_FORMATS = ("ids", "exact", "canonical")


@blueprint.route("/statements", methods=["GET", "PUT", "POST"])
@allow(Who.MACHINE, reason=PROOF)
def statements() -> Response:
    """Store statements, or find them."""
    if request.method != "POST":
        g.xapi_quiet = find_quiet_moment()
    call, session = enter()
    acts = {"GET": _get, "HEAD": _get, "PUT": _put, "POST": _post}
    if call.method not in acts:
        raise Refused("method: this resource knows GET, HEAD, PUT and POST")
    return acts[call.method](call, session)


@blueprint.get("/statements/more/<token>")
@allow(Who.MACHINE, reason=PROOF)
def more(token: str) -> Response:
    """Return a further page of an earlier answer."""
    g.xapi_quiet = find_quiet_moment()
    call, session = enter()
    args, after = _read_token(token)
    asked = Call("GET", args, call.headers, b"")
    return _find(asked, session, after)


def _read_token(token: str) -> tuple[dict[str, str], int]:
    """Return the parameters of the first page, and the row after which this one begins.

    It is not signed: whoever changes it asks another question, under his own rights.
    """
    try:
        told = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        args = orjson.loads(told)
        if not all(type(value) is str for value in args.values()):
            raise ValueError("every parameter is a text")
        after = args.pop("after")
        if not (after.isascii() and after.isdigit()):
            raise ValueError("the place is a number")
        return args, row_number(after)
    except (ValueError, KeyError, AttributeError) as error:
        raise NoSuchThing("This address does not continue any answer of ours.") from error


@blueprint.after_request
def _say_consistent(response: Response) -> Response:
    """Say up to when all is visible, on every answer of this resource, errors too."""
    if request.endpoint in ("xapi_lrs.statements", "xapi_lrs.more"):
        moment = g.get("xapi_quiet")
        if moment is None:  # somebody is storing: what is visible is certain, no more
            if response.status_code >= 400:
                abandon()
            try:
                moment = last_place().stored or EPOCH
            except SQLAlchemyError:  # the database is away, as the answer says already
                abandon()
                moment = EPOCH
        response.headers[CONSISTENT_THROUGH] = iso(moment)
    return response


def _put(call: Call, session: Session) -> Response:
    call.only("statementId")
    statement_id = call.args.get("statementId")
    if statement_id is None:
        raise Refused("statementId: this parameter is required")
    if not is_uuid(statement_id):
        raise Refused("statementId: must be a UUID")
    body, attached = _read(call)
    if type(body) is not dict:
        raise Refused("The body must be one statement.")
    given = body.setdefault("id", statement_id)
    if not isinstance(given, str) or given.lower() != statement_id.lower():
        raise Refused("id: must be the id that the parameter statementId names")
    _store([body], attached, session)
    return Response(status=204)


def _post(call: Call, session: Session) -> Response:
    call.only()
    body, attached = _read(call)
    batch = body if type(body) is list else [body]
    most: int = current_app.config["LMS_LRS_BATCH_MOST"]
    if len(batch) > most:
        raise Oversized(
            f"The batch holds {len(batch)} statements; at most {most} are taken at once. "
            "Nothing was stored."
        )
    prepared = _store(batch, attached, session)
    return json_answer(orjson.dumps([one.statement_id for one in prepared]))


def _read(call: Call) -> tuple[Any, dict[str, tuple[str, bytes]]]:
    """Return the JSON of a body, and the attachments that came with it."""
    if call.content_type == "application/json":
        return read_json(call.body), {}
    if call.content_type == "multipart/mixed":
        parts = multipart.read_parts(call.body, call.headers.get("Content-Type", ""))
        headers, first = parts[0]
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused("The first part of a multipart body must be application/json.")
        return read_json(bytes(first), "The first part"), multipart.read_attachments(parts[1:])
    raise Refused("Content-Type: must be application/json or multipart/mixed")


def _store(
    batch: list[Any], attached: dict[str, tuple[str, bytes]], session: Session
) -> list[Prepared]:
    if not session.caller.may_write:
        raise Forbidden("This credential may not store statements.")
    authority = authority_of(session.caller.uid)
    prepared = prepare(batch, authority, session.version)
    _refuse_impostors(prepared, authority)
    if not session.caller.may_void and any(one.parts.voids for one in prepared):
        raise Forbidden("This credential may not void statements. Nothing was stored.")
    kept = multipart.match([one.statement for one in prepared], attached)
    check_signatures([one.statement for one in prepared], kept, session.version)
    if not session.caller.may_define:  # 1.0.3, Communication 4.0: what is known stays as it is
        for one in prepared:
            one.parts = undefined(one.parts)
    g.xapi_quiet = store(prepared, kept)
    return prepared


def _refuse_impostors(prepared: list[Prepared], authority: dict[str, Any]) -> None:
    """Raise Forbidden where a credential of ours is named by another than itself.

    And for the account that stands where somebody was removed: nobody is that.
    """
    own = find_agent_key(authority)
    nobody = find_agent_key({"account": {**authority["account"], "name": REMOVED}})
    for one in prepared:
        for key, (agent, _) in one.parts.agents.items():
            if key != own and is_credential(agent):
                raise Forbidden(
                    "account.name: this is a credential of this record store, which no other may "
                    "name. Nothing was stored."
                )
            if key == nobody:
                raise Forbidden(
                    f"account.name: {REMOVED} stands in this record store for people who were "
                    "removed from it; nobody else may be called that. Nothing was stored."
                )


def _get(call: Call, session: Session) -> Response:
    if not session.caller.may_read:
        raise Forbidden("This credential may not read statements.")
    single = [name for name in _SINGLE if name in call.args]
    if not single:
        return _find(call, session, None)
    if len(single) == 2:
        raise Refused("statementId and voidedStatementId do not go together")
    call.only(single[0], "attachments", "format")
    statement_id = call.args[single[0]]
    if not is_uuid(statement_id):
        raise Refused(f"{single[0]}: must be a UUID")
    row = find_one(statement_id, single[0] == "voidedStatementId", _own(session))
    if row is None:
        raise NoSuchThing(f"No such statement is stored: {statement_id}")
    [text] = _format([row.text], call)
    response = _answer(text.encode(), [row.id], [text], call)
    response.headers["Last-Modified"] = format_datetime(row.stored, usegmt=True)
    return response


def _find(call: Call, session: Session, after: int | None) -> Response:
    call.only(*_FILTERS, "format", "attachments")
    limit = _limit(call)
    found = find_page(
        Wanted(
            agent=read_agent_key(call) if "agent" in call.args else None,
            verb=_iri(call, "verb"),
            activity=_iri(call, "activity"),
            registration=read_registration(call),
            related_agents=call.flag("related_agents"),
            related_activities=call.flag("related_activities"),
            since=read_moment(call, "since"),
            until=read_moment(call, "until"),
            ascending=call.flag("ascending"),
            own=_own(session),
            after=after,
            limit=limit,
        )
    )
    texts = _format(found.texts, call)
    further = ""
    if found.after is not None:
        told = orjson.dumps({**call.args, "after": str(found.after)})
        token = base64.urlsafe_b64encode(told).decode().rstrip("=")
        further = url_for("xapi_lrs.more", token=token)
    told_further = orjson.dumps(further).decode()
    body = f'{{"statements":[{",".join(texts)}],"more":{told_further}}}'
    response = _answer(body.encode(), found.ids, texts, call)
    if texts:
        response.headers["Last-Modified"] = _last_modified(texts)
    return response


def _last_modified(texts: list[str]) -> str:
    moment = find_moment(max(orjson.loads(text)["stored"] for text in (texts[0], texts[-1])))
    assert moment is not None  # noqa: S101 - the store wrote it
    return format_datetime(moment, usegmt=True)


def _own(session: Session) -> str | None:
    if not session.caller.only_own:
        return None
    return find_agent_key(authority_of(session.caller.uid))


def _format(texts: list[str], call: Call) -> list[str]:
    form = call.args.get("format", "exact")
    if form not in _FORMATS:
        raise Refused(f"format: must be one of {', '.join(_FORMATS)}")
    if form == "ids":
        return [as_ids(text) for text in texts]
    if form == "canonical":
        return as_canonical(texts, call.languages)
    return texts


def _answer(body: bytes, row_ids: list[int], texts: list[str], call: Call) -> Response:
    """Return JSON, or JSON and what came with these statements where that is asked for."""
    if not call.flag("attachments"):
        return json_answer(body)
    media_types = {
        (row_id, attachment["sha2"].lower()): attachment["contentType"]
        for row_id, text in zip(row_ids, texts, strict=True)
        for attachment in multipart.attachments_of(orjson.loads(text))
    }
    came = contents(row_ids) if media_types else {}
    content, content_type = multipart.write(
        body,
        [
            (sha2, media_types[row_id, sha2], content)
            for sha2, (row_id, content) in came.items()
            if (row_id, sha2) in media_types
        ],
    )
    return Response(content, content_type=content_type)


def _iri(call: Call, name: str) -> str | None:
    value = call.args.get(name)
    if value is not None and not is_iri(value):
        raise Refused(f"{name}: must be an IRI")
    return value


def _limit(call: Call) -> int:
    value = call.args.get("limit", "0")
    if not (value.isascii() and value.isdigit()) or len(value) > 9:
        raise Refused("limit: must be a number, 0 or above")
    return min(int(value) or PAGE_MOST, PAGE_MOST)
