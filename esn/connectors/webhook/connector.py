"""The signed webhook: what is proved, what is taken, and what is wrong when it is not.

Format and a ten-line sender: docs/administrators/networks/webhook.md.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from flask import current_app
from flask_babel import lazy_gettext as _l

from esn.connectors.contract import Answer, Known, NotProved, Page, Push
from esn.connectors.webhook.signature import is_fresh, matches
from esn.digests import address_digest, digest, employee_digest
from esn.ledger.records import AccountRecord, ActRecord, Whitelisted, nothing
from esn.models import Connector
from esn.secrets import unseal
from esn.vocabulary import REMOVED, Act, Client
from lms import clock
from lms.errors import ForMachines, Invalid

ID_MAX_CHARS = 255
EVENTS_MAX = 5000
AHEAD = dt.timedelta(minutes=10)
VERBS = frozenset(Act)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


class WebhookConnector:
    """Acts sent to us by a script of the company's own, or by a network's automation."""

    kind = "webhook"
    label = _l("Signed webhook")
    about = _l("Any network: a script of yours sends us what happened, signed.")
    pushes = True
    reads_back = False
    verbs = frozenset(verb.value for verb in Act)
    reports_client = True
    look_at = _l(
        "On the sender's side: does it run, and does it send to the address below with the present "
        "secret?"
    )

    def verify(self, connector: Connector, push: Push) -> None:
        """See the contract. Two secrets are valid while one replaces the other."""
        timestamp = push.headers.get("x-ropes-timestamp", "")
        signature = push.headers.get("x-ropes-signature", "")
        now = clock.now()
        sealed = connector.good_secrets
        proved = [matches(signature, unseal(one), timestamp, push.body) for one in sealed]
        if not any(proved) or not is_fresh(timestamp, now.timestamp()):
            raise NotProved(
                ForMachines(
                    "The signature does not fit. Check the secret, the clock (five minutes), and that "
                    "the body is signed exactly as it is sent."
                )
            )

    def key(self, connector: Connector, push: Push) -> str:
        """The same signed bytes are the same delivery."""
        signed = push.headers.get("x-ropes-signature", "")
        return digest("delivery", connector.uid, signed)

    def whitelist(self, connector: Connector, push: Push) -> Whitelisted:
        """See the contract."""
        return Reader(connector.uid, current_app.config["LMS_ESN_GROUP_KINDS"]).read(push.body)

    def greet(self, connector: Connector, push: Push) -> Answer | None:
        """A webhook has one kind of delivery only."""
        return None

    def answer(self, content: Whitelisted, new: bool) -> Answer:
        """See the contract: how much was taken, for the sender's log."""
        taken = {
            "accounts": len(content["accounts"]),
            "events": len(content["acts"]) + len(content["removed"]),
        }
        return {"taken": taken, "repeated": not new}, 202 if new else 200

    def backfill(self, connector: Connector, known: Known) -> Iterator[Page]:
        """A webhook has no past of its own: send earlier events the same way."""
        yield from ()

    def setting_up(self, connector: Connector) -> str | None:
        """Nothing but the address and the secret."""
        return None


class Reader:
    """Reads one body; every complaint names the property, and never repeats its value."""

    def __init__(self, scope: str, group_kinds: Sequence[str]) -> None:
        self.scope = scope
        self.group_kinds = group_kinds

    def read(self, body: bytes) -> Whitelisted:
        """Return what is kept; raises Invalid."""
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Invalid(ForMachines("The body is not JSON in UTF-8.")) from None
        if not isinstance(data, dict):
            raise Invalid(ForMachines("The body must be an object with “events” or “accounts”."))
        events = self._list(data, "events")
        accounts = self._list(data, "accounts")
        if not events and not accounts:
            raise Invalid(ForMachines("There is neither an event nor an account in the body."))
        kept = nothing()
        for number, account in enumerate(accounts):
            kept["accounts"].append(self._account(account, f"accounts[{number}]"))
        for number, event in enumerate(events):
            where = f"events[{number}]"
            if not isinstance(event, dict):
                raise Invalid(ForMachines(f"{where} must be an object."))
            if event.get("verb") == REMOVED:
                named = "event" if "event" in event else "object"
                kept["removed"].append(self._id(event, named, where, named))
            else:
                kept["acts"].append(self._act(event, where))
        return kept

    def _list(self, data: dict[str, Any], name: str) -> list[Any]:
        found = data.get(name, [])
        if not isinstance(found, list):
            raise Invalid(ForMachines(f"“{name}” must be a list."))
        if len(found) > EVENTS_MAX:
            raise Invalid(ForMachines(f"“{name}” holds more than {EVENTS_MAX}: send it in parts."))
        return found

    def _account(self, account: Any, where: str) -> AccountRecord:
        if not isinstance(account, dict):
            raise Invalid(ForMachines(f"{where} must be an object."))
        found: list[str] = []
        for name, make in (("email", address_digest), ("employee_number", employee_digest)):
            value = account.get(name)
            if value is not None:
                if not isinstance(value, str) or not 0 < len(value) <= ID_MAX_CHARS:
                    raise Invalid(
                        ForMachines(f"{where}.{name} must be a text of 1 to {ID_MAX_CHARS}.")
                    )
                found.append(make(value))
        return AccountRecord(account=self._id(account, "id", where, "account"), matches=found)

    def _act(self, event: dict[str, Any], where: str) -> ActRecord:
        verb = event.get("verb")
        if not isinstance(verb, str) or verb not in VERBS:
            raise Invalid(ForMachines(f"{where}.verb must be one of: {', '.join(Act)}, {REMOVED}."))
        act = ActRecord(
            event=self._id(event, "id", where, "event"),
            at=self._moment(event, where),
            verb=verb,
            actor=self._id(event, "actor", where, "account"),
        )
        for name, purpose in (("object", "object"), ("parent", "object"), ("group", "group"), ("recipient", "account")):  # fmt: skip
            if event.get(name) is not None:
                act[name] = self._id(event, name, where, purpose)  # type: ignore[literal-required]
        kind = event.get("group_kind")
        if kind is not None:
            if kind not in self.group_kinds:
                raise Invalid(
                    ForMachines(
                        f"{where}.group_kind must be one of: {', '.join(self.group_kinds)} "
                        "(LMS_ESN_GROUP_KINDS). Direct messages and closed groups are not taken: "
                        "leave them out."
                    )
                )
            act["group_kind"] = str(kind)
        client = event.get("client", Client.UNKNOWN.value)
        if not isinstance(client, str) or client not in frozenset(Client):
            raise Invalid(ForMachines(f"{where}.client must be one of: {', '.join(Client)}."))
        act["client"] = str(client)
        return act

    def _id(self, holder: dict[str, Any], name: str, where: str, purpose: str) -> str:
        value = holder.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= ID_MAX_CHARS:
            raise Invalid(
                ForMachines(f"{where}.{name} must be a text of 1 to {ID_MAX_CHARS} characters.")
            )
        return digest(purpose, self.scope, value)

    def _moment(self, event: dict[str, Any], where: str) -> str:
        value = event.get("at")
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            raise Invalid(
                ForMachines(f"{where}.at must be a moment like 2026-11-23T09:30:00Z (RFC 3339).")
            )
        try:
            moment = dt.datetime.fromisoformat(value).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise Invalid(ForMachines(f"{where}.at is not a moment that exists.")) from None
        if moment > clock.now() + AHEAD:
            raise Invalid(ForMachines(f"{where}.at lies in the future: check the sender's clock."))
        return moment.isoformat()
