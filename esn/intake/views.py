"""The address to which networks push. It answers at once; a job does the work."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import select

from esn.connectors.contract import NotProved, Push, get_kind
from esn.ledger.intake import take_in
from esn.models import Connector
from lms.db import db
from lms.errors import DomainError, TooLarge
from lms.people.access import Who, allow

blueprint = Blueprint("esn_intake", __name__, url_prefix="/esn/intake")

BODY_MAX_BYTES = 4 * 1024 * 1024


@blueprint.errorhandler(DomainError)
def answer(error: DomainError) -> tuple[Response, int]:
    """Machines get JSON, whatever they say they accept."""
    db.session.rollback()
    return jsonify(error=error.message), error.status


@blueprint.post("/<connector_uid>")
@allow(Who.MACHINE, reason="each delivery is signed with the connector's secret")
def push(connector_uid: str) -> tuple[Response, int]:
    """Verify, whitelist, store, answer 202; 200 where the same delivery was taken before."""
    request.max_content_length = BODY_MAX_BYTES
    if request.content_length is not None and request.content_length > BODY_MAX_BYTES:
        raise TooLarge("The body is larger than 4 MiB: send the events in parts.")
    connector = db.session.scalar(
        select(Connector).where(Connector.uid == connector_uid, Connector.active)
    )
    if connector is None:
        raise NotProved("There is no connector at this address, or the signature does not fit.")
    kind = get_kind(connector.kind)
    sent = Push({name.lower(): value for name, value in request.headers}, request.get_data())
    kind.verify(connector, sent)
    content = kind.whitelist(connector, sent)
    new = take_in(connector, kind.key(connector, sent), content)
    taken = {"accounts": len(content["accounts"]), "events": len(content["acts"])}
    return jsonify(taken=taken, repeated=not new), 202 if new else 200
