"""The address to which networks push. It answers at once; a job does the work."""

from __future__ import annotations

import logging
import traceback

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import select
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from esn.connectors.contract import Answer, NotProved, Push, get_kind
from esn.ledger.intake import take_in
from esn.models import Connector
from lms.db import abandon, begin_writing, db
from lms.errors import DomainError, ForMachines, Invalid, Misconfigured, TooLarge
from lms.outage import is_outage
from lms.people.access import Who, allow

log = logging.getLogger(__name__)

blueprint = Blueprint("esn_intake", __name__, url_prefix="/esn/intake")

BODY_MAX_BYTES = 4 * 1024 * 1024


class IntakeFailed(DomainError):
    """We could not take the delivery; the sender should try again (500)."""

    status = 500


@blueprint.errorhandler(DomainError)
def answer_error(error: DomainError) -> tuple[Response, int]:
    """Machines get JSON, whatever they say they accept."""
    abandon()
    return jsonify(error=str(error)), error.status


@blueprint.post("/<connector_uid>")
@blueprint.route("/<connector_uid>/<path:path>", methods=["GET", "POST", "PUT"])
@allow(Who.MACHINE, reason="each delivery is signed, or bears a token that only the network knows")
def push(connector_uid: str, path: str = "") -> tuple[Response, int]:
    """Verify, whitelist, store, answer; the same delivery again is answered and not stored."""
    body = _read_body()
    try:
        answer, status = _take(connector_uid, path, body)
    except DomainError:
        raise  # the kernel has an answer to these, which repeats nothing of what was sent
    except Exception as error:
        if is_outage(error):
            raise
        # An error's text, and its traceback's, can carry what was sent: only the place is logged.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error("intake failed: %s at %s:%s", type(error).__name__, place.name, place.lineno)
        if isinstance(error, Misconfigured):
            raise IntakeFailed(
                ForMachines("This connector's secret cannot be read. Tell us.")
            ) from None
        raise IntakeFailed(
            ForMachines("Something went wrong here. Nothing was taken; send it again.")
        ) from None
    return jsonify(answer), status


def _read_body() -> bytes:
    """Return the body, to its end, before anything is asked of the database: senders may be slow."""
    request.max_content_length = BODY_MAX_BYTES
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise TooLarge(
            ForMachines("The body is larger than 4 MiB: send the events in parts.")
        ) from None
    except ClientDisconnected:
        raise Invalid(
            ForMachines("The body ended early. Nothing was taken; send it again.")
        ) from None


def _take(connector_uid: str, path: str, body: bytes) -> Answer:
    connector = db.session.scalar(
        select(Connector).where(Connector.uid == connector_uid, Connector.active)
    )
    if connector is None:
        raise NotProved(
            ForMachines("There is no connector at this address, or the signature does not fit.")
        )
    kind = get_kind(connector.kind)
    sent = Push(
        headers={name.lower(): value for name, value in request.headers},
        body=body,
        method=request.method,
        path=path,
        query=request.args.to_dict(),
    )
    kind.verify(connector, sent)
    greeting = kind.greet(connector, sent)
    if greeting is not None:
        return greeting
    content = kind.whitelist(connector, sent)
    proved = (connector.secret, connector.secret_before)
    begin_writing()
    _refuse_revoked(connector.id, proved)
    return kind.answer(content, take_in(connector, kind.key(connector, sent), content))


def _refuse_revoked(connector_id: int, proved: tuple[bytes | None, bytes | None]) -> None:
    """Raise NotProved where the connector was switched off, or its secrets were, since the proof."""
    asked = select(Connector.active, Connector.secret, Connector.secret_before)
    now = db.session.execute(asked.where(Connector.id == connector_id)).one_or_none()
    if now is None or not now.active or (now.secret, now.secret_before) != proved:
        raise NotProved("There is no connector at this address, or the signature does not fit.")
