"""*Test it*: what is wrong with a record store's address, key or version, in one sentence.

Asks for `about`, which every LRS shows (xAPI 1.0.3, Communication 2.8; IEEE 9274.1.1, 4.1.6.7),
then for one statement, with the key. Nothing is stored there, and nothing of an answer is shown
but its status: whoever may type an address could read with it what only this server reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from flask_babel import gettext as _
from tincan.http_request import HTTPRequest
from tincan.lrs_response import LRSResponse

from lms.addresses import allowed_networks
from xapi.delivery.target import Target
from xapi.delivery.transport import NoAnswer, PooledLRS
from xapi.outbox.models import Store
from xapi.sealed import unseal

TIMEOUT_SECONDS = 8.0
LEADS_MOST = 200  # characters of where a redirect leads


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether all is well, and what to say about it."""

    well: bool
    words: str


def probe(store: Store) -> Finding:
    """Try a record store; up to some seconds. Raises Misconfigured where its secret is unreadable."""
    return ask(
        PooledLRS(
            store.endpoint,
            store.key,
            unseal(store.secret),
            store.version,
            TIMEOUT_SECONDS,
            allowed_networks(),
        ),
        store.version,
    )


def ask(lrs: PooledLRS, version: str) -> Finding:
    """Try a record store over this connection, and close it."""
    try:
        wrong = _look_about(lrs, version)
        return Finding(False, wrong) if wrong else _show_key(lrs)
    except NoAnswer as error:
        return Finding(False, _in_words(error))
    finally:
        lrs.close()


def can_probe(target: Target) -> bool:
    """Tell whether a target is one that can be tried."""
    return isinstance(getattr(target, "lrs", None), PooledLRS)


def _look_about(lrs: PooledLRS, version: str) -> str:
    """Say what is wrong with what answers at the address; nothing where it is a record store."""
    answer = lrs._send_request(HTTPRequest(method="GET", resource="about"))
    status = answer.response.status
    if 300 <= status < 400:
        leads = lrs.hide(answer.response.getheader("Location") or "?")[:LEADS_MOST]
        return str(
            _("It has moved: the address leads on to %(address)s. Write that.", address=leads)
        )
    if status in (401, 403):
        return ""  # some ask for the key even here
    if status >= 500 or status == 429:
        return str(
            _("It answers that it cannot at the moment (%(status)s). Try later.", status=status)
        )
    versions = _find_versions(answer) if status == 200 else None
    if versions is None:
        return str(
            _(
                "What answers there is no record store (status %(status)s). Look at the end of the "
                "address: many want /xapi/ or /data/xAPI/.",
                status=status,
            )
        )
    wanted = version.rpartition(".")[0]
    if not any(one == wanted or one.startswith(f"{wanted}.") for one in versions):
        return str(
            _(
                "It does not speak xAPI %(version)s, but %(versions)s. Choose another version.",
                version=version,
                versions=", ".join(versions),
            )
        )
    return ""


def _show_key(lrs: PooledLRS) -> Finding:
    request = HTTPRequest(method="GET", resource="statements")
    request.query_params["limit"] = "1"
    answer = lrs._send_request(request)
    status = answer.response.status
    if status == 200 and isinstance(_read(answer).get("statements"), list):
        return Finding(True, _("All is well: it knows the key, and speaks this version."))
    if status == 401:
        return Finding(False, _("It does not know this key and secret (status 401)."))
    if status == 403:
        return Finding(
            True,
            _(
                "It knows the key, which may not read. That is enough if it may store: the first "
                "delivery will tell."
            ),
        )
    return Finding(
        False,
        _(
            "It does not let statements be asked for as an xAPI record store does "
            "(status %(status)s).",
            status=status,
        ),
    )


def _find_versions(answer: LRSResponse) -> list[str] | None:
    versions = _read(answer).get("version")
    if not isinstance(versions, list) or not versions:
        return None
    return [one[:20] for one in versions[:20] if isinstance(one, str)]


def _read(answer: LRSResponse) -> dict[str, Any]:
    try:
        found = orjson.loads(answer.data)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _in_words(error: NoAnswer) -> str:
    if error.cause == "tls":
        return str(
            _(
                "The secure connection (TLS) fails: %(why)s. The certificate there has to be valid "
                "for this address.",
                why=error.why,
            )
        )
    if error.cause == "late":
        return str(
            _(
                "Nothing answers within %(seconds)s seconds. Is a firewall in between?",
                seconds=f"{TIMEOUT_SECONDS:g}",
            )
        )
    if error.cause == "forbidden":
        return error.why
    if error.cause == "closed":
        return str(_("Something is there, and closes the connection without an answer."))
    return str(_("It cannot be reached: %(why)s.", why=error.why))
