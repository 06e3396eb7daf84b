"""Any LRS over HTTP, through tincan: what is sent, and what its answers mean.

An answer counts only if it is a record store's own. A hotel's sign-in page, a proxy's error page
and a parked domain all answer 200, and sometimes 400: none of them knows our statements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
from flask_babel import lazy_gettext as _l
from tincan.http_request import HTTPRequest
from tincan.lrs_response import LRSResponse

from lms import clock
from lms.addresses import Network, allowed_networks
from lms.errors import Misconfigured
from xapi.delivery.outcome import Outcome, Verdict, cut, judge, read_retry_after
from xapi.delivery.target import Waiting
from xapi.delivery.transport import NoAnswer, PooledLRS
from xapi.lrs import multipart
from xapi.lrs.compare import same
from xapi.outbox.models import Store
from xapi.sealed import unseal

# Every LRS says it on every answer (xAPI 1.0.3, Communication 3.3; IEEE 9274.1.1, 4.1.4).
VERSION_HEADER = "X-Experience-API-Version"


class RemoteTarget:
    """An LRS over HTTP."""

    in_process = False

    def __init__(
        self,
        endpoint: str,
        key: str,
        secret: str,
        version: str,
        timeout: float,
        name: str = "remote",
        label: object = _l("The company's record store"),
        networks: Sequence[Network] = (),
    ) -> None:
        self.name, self.label = name, label
        self.address = endpoint if endpoint.endswith("/") else endpoint + "/"
        self.lrs = PooledLRS(self.address, key, secret, version, timeout, networks)

    def send(self, batch: Sequence[Waiting]) -> Outcome:
        """Send the batch in one POST; delivered if the answer names what was sent."""
        request = HTTPRequest(method="POST", resource="statements")
        body = f"[{','.join(one.text for one in batch)}]".encode()
        media_type = "application/json"
        attached = {sha2: (sha2, kind, data) for one in batch for sha2, kind, data in one.attached}
        if attached:
            body, media_type = multipart.write(body, list(attached.values()))
        request.headers["Content-Type"] = media_type
        # Past tincan's own setter: it would make a text of it, which goes out as ISO 8859-1.
        request._content = body
        try:
            answer = self.lrs._send_request(request)
        except NoAnswer as error:
            return self._later(str(error))
        outcome = self._outcome(answer)
        if outcome.verdict is not Verdict.DELIVERED or _names(answer, batch):
            return outcome
        return self._later(
            "What answers there is no record store: it does not name the statements that it "
            f"was sent. It said: {answer.data or 'nothing'}",
            outcome.status,
        )

    def settle(self, one: Waiting) -> Outcome:
        """Fetch what the LRS holds under this id, and compare.

        Only an LRS can have another statement under it. What shows none and is none, as far as its
        answers go, is doubted: perhaps a proxy speaks.
        """
        known = False
        for parameter in ("statementId", "voidedStatementId"):
            request = HTTPRequest(method="GET", resource="statements")
            request.query_params[parameter] = one.statement_id
            try:
                answer = self.lrs._send_request(request)
            except NoAnswer as error:
                return self._later(str(error))
            if answer.response.status == 404:
                known = known or _is_lrs(answer)
                continue
            if not answer.success:
                return self._outcome(answer)
            return _compare(answer, one)
        return Outcome(
            Verdict.REFUSED if known else Verdict.DOUBTFUL,
            409,
            "The record store reports a conflict, and shows no such statement.",
        )

    def _outcome(self, answer: LRSResponse) -> Outcome:
        status = answer.response.status
        verdict, words = judge(status), answer.data or ""
        if verdict is Verdict.REFUSED and status != 413 and not _is_lrs(answer):
            # Some proxy's opinion. 413 is a proxy's to say: smaller batches may pass it.
            verdict = Verdict.DOUBTFUL
        if 300 <= status < 400:
            leads = answer.response.getheader("Location") or "nowhere"
            words = (
                f"It is elsewhere: the address redirects to {leads}. Statements are not sent on."
            )
        return Outcome(
            verdict,
            status,
            cut(self.lrs.hide(words)),
            read_retry_after(answer.response.getheader("Retry-After"), clock.now()),
        )

    def _later(self, words: str, status: int = 0) -> Outcome:
        return Outcome(Verdict.LATER, status, cut(self.lrs.hide(words)))


class UnreadableTarget:
    """A record store whose secret cannot be read any more: all waits until it is typed in again."""

    in_process = False

    def __init__(self, store: Store, words: str) -> None:
        self.name, self.address = store.name, store.endpoint
        self.label: object = store.label
        self.words = words

    def send(self, batch: Sequence[Waiting]) -> Outcome:
        """Send nothing, and say why."""
        return Outcome(Verdict.LATER, 0, self.words)

    def settle(self, one: Waiting) -> Outcome:
        """Judge nothing, and say why."""
        return Outcome(Verdict.LATER, 0, self.words)


def _compare(answer: LRSResponse, one: Waiting) -> Outcome:
    """Judge what was shown as the statement of this id."""
    status = answer.response.status
    try:
        shown = orjson.loads(answer.data)
    except orjson.JSONDecodeError:
        words = "What answers there is no record store: it does not show the statement."
        return Outcome(Verdict.LATER, status, words)
    try:
        held = same(shown, orjson.loads(one.text))
    except (KeyError, TypeError, AttributeError, RecursionError):
        held = False
    if held:
        return Outcome(Verdict.DELIVERED, status)
    named = isinstance(shown, dict) and str(shown.get("id")).lower() == one.statement_id.lower()
    return Outcome(
        Verdict.REFUSED if named and _is_lrs(answer) else Verdict.DOUBTFUL,
        409,
        "Another statement is stored under this id.",
    )


def _is_lrs(answer: LRSResponse) -> bool:
    return answer.response.getheader(VERSION_HEADER) is not None


def _names(answer: LRSResponse, batch: Sequence[Waiting]) -> bool:
    """Tell whether an answer names the ids that were sent (1.0.3, Communication 2.1.2)."""
    if answer.response.status == 204:
        return _is_lrs(answer)
    try:
        named = orjson.loads(answer.data)
        if not isinstance(named, list):
            return False
        return {one.lower() for one in named} == {one.statement_id.lower() for one in batch}
    except (orjson.JSONDecodeError, TypeError, AttributeError):
        return False


def from_store(store: Store, timeout: float) -> RemoteTarget | UnreadableTarget:
    """Return the target that a row describes."""
    try:
        secret = unseal(store.secret)
    except Misconfigured as error:
        return UnreadableTarget(store, str(error))
    return RemoteTarget(
        store.endpoint,
        store.key,
        secret,
        store.version,
        timeout,
        store.name,
        store.label,
        allowed_networks(),
    )


def find_target(config: Mapping[str, Any]) -> RemoteTarget | None:
    """Return the target, or None where no LRS is set (LMS_LRS_ENDPOINT)."""
    endpoint = config["LMS_LRS_ENDPOINT"]
    if not endpoint:
        return None
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misconfigured(
            "LMS_LRS_ENDPOINT is not a web address. Write https://lrs.example.com/xapi/."
        )
    if parts.username is not None or parts.password is not None:
        # The address is shown; what is in it would be, too.
        raise Misconfigured(
            "LMS_LRS_ENDPOINT holds a key or a secret. Leave them out of the address: they have "
            "settings of their own, LMS_LRS_KEY and LMS_LRS_SECRET."
        )
    if not config["LMS_LRS_KEY"] or not config["LMS_LRS_SECRET"]:
        raise Misconfigured("LMS_LRS_ENDPOINT needs LMS_LRS_KEY and LMS_LRS_SECRET beside it.")
    return RemoteTarget(
        endpoint,
        config["LMS_LRS_KEY"],
        config["LMS_LRS_SECRET"],
        config["LMS_LRS_VERSION"],
        config["LMS_LRS_TIMEOUT_SECONDS"],
        networks=config["LMS_PRIVATE_NETWORKS"],
    )
