"""Wrong keys in a row: after some, 429 for the rest of the quarter of an hour.

Counted by the place that they come from and by the key that they name. Whoever shows a right one is
never asked: a company's proxy is one place for many systems, and a secret of 256 random bits is not
guessed. What the limit spares is the machine. So it must cost little itself: a count is written for
the first wrong ones alone; of who is over the limit each process knows without asking.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress

from flask import current_app, request

from lms import clock
from lms.db import begin_request, db
from lms.people import tries
from xapi.lrs.errors import TooManyWrong

PLACE_MOST = 30  # a quarter of an hour
KEY_MOST = 30
REMEMBERED_MOST = 10_000
_IPV6_HOUSEHOLD = 64  # bits: whoever has one IPv6 address has as many as they like beside it


def count_wrong(authorization: str) -> None:
    """Count a wrong key; raises TooManyWrong, with what to wait, where there were too many."""
    over: dict[tuple[str, str], int] = current_app.extensions.setdefault("xapi.wrong", {})
    asked = (
        ("xapi.place", _place(), PLACE_MOST),
        ("xapi.key", _key(authorization), KEY_MOST),
    )
    now = int(clock.now().timestamp())
    stretch, gone = divmod(now, tries.STRETCH_SECONDS)
    refused = any(over.get((kind, subject)) == stretch for kind, subject, _most in asked)
    if not refused:
        db.session.rollback()  # it may have been one that only reads
        begin_request(may_write=True)
        for kind, subject, most in asked:
            if not tries.allowed(kind, subject, most):
                if len(over) >= REMEMBERED_MOST:
                    over.clear()
                over[kind, subject] = stretch
                refused = True
    if refused:
        raise TooManyWrong(tries.STRETCH_SECONDS - gone)


def _place() -> str:
    address = request.remote_addr or ""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return address
    if read.version == 4:
        return address
    return str(ipaddress.ip_network((read, _IPV6_HOUSEHOLD), strict=False))


def _key(authorization: str) -> str:
    """Return what stands for the key that was named, however long or broken it is."""
    encoded = authorization.partition(" ")[2].strip()
    try:
        named = base64.b64decode(encoded, validate=True).partition(b":")[0]
    except ValueError:
        named = b""
    return hashlib.sha256(named).hexdigest()
