"""Devices and places from which somebody has signed in before.

Whoever comes from one of them has allowances of their own (`lms.people.limits`), so that strangers
who guess cannot shut a colleague out. It lets nobody in, and proves nothing. A device is known by a
random number in a cookie, as OWASP's "device cookies" are; kept is a keyed hash of it for each
person, which goes when they sign out everywhere or choose a new password. See
docs/decisions/0013-limits-on-guessing.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from flask import Response, after_this_request, current_app, g, request
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from lms import clock
from lms.db import db
from lms.people.models import Familiar, new_uid

DAYS = 180  # since the last sign-in from there
DEVICE = re.compile(r"[a-z0-9]{26}")
IPV6_PREFIX = 64  # what one household or office is given, at the least
NOWHERE = "nowhere"  # a server that does not say who asks


def place(address: str | None = None) -> str:
    """Return the network that an address (of the present request, unless said) belongs to.

    IPv4: the address itself, also where it is written as IPv6. IPv6: its /64.
    """
    text = request.remote_addr if address is None else address
    try:
        found: IPv4Address | IPv6Address = ip_address(text or "")
    except ValueError:
        return NOWHERE
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if isinstance(found, IPv4Address):
        return str(found)
    return str(ip_network((int(found), IPV6_PREFIX), strict=False))


def find(person_id: int) -> str | None:
    """Return by what the person is known to come from here: this device, else this place, or None.

    What is returned is a keyed hash, the name of an allowance.
    """
    device = _device()
    keys = [_key(person_id, "place", place())]
    if device is not None:
        keys.insert(0, _key(person_id, "device", device))
    known = set(
        db.session.scalars(
            select(Familiar.key).where(
                Familiar.person_id == person_id,
                Familiar.key.in_(keys),
                Familiar.until >= clock.today(),
            )
        )
    )
    return next((key for key in keys if key in known), None)


def remember(person_id: int) -> None:
    """Note that the person has signed in from this device and place, and mark the device."""
    device = _device() or new_uid()
    until = clock.today() + dt.timedelta(days=DAYS)
    insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    made = insert(Familiar).values(
        [
            {"person_id": person_id, "key": key, "until": until}
            for key in (_key(person_id, "device", device), _key(person_id, "place", place()))
        ]
    )
    db.session.execute(
        made.on_conflict_do_update(
            index_elements=[Familiar.person_id, Familiar.key], set_={"until": made.excluded.until}
        )
    )

    @after_this_request
    def mark(response: Response) -> Response:
        config = current_app.config
        response.set_cookie(
            cookie_name(),
            device,
            max_age=dt.timedelta(days=DAYS),
            secure=config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response


def forget(person_id: int) -> None:
    """Know the person by no device or place any longer: one of them may be in others' hands.

    Whoever is signed in later in this request gets a new number for their device: somebody may
    have a copy of the old one.
    """
    g.lms_device_anew = True
    db.session.execute(delete(Familiar).where(Familiar.person_id == person_id))


def sweep() -> None:
    """Forget where nobody has signed in from for long."""
    db.session.execute(delete(Familiar).where(Familiar.until < clock.today()))


def cookie_name() -> str:
    """Return the cookie's name: where there is HTTPS one that no other host can set (`__Host-`)."""
    return f"{'__Host-' if current_app.config['SESSION_COOKIE_SECURE'] else ''}ropes-device"


def _device() -> str | None:
    kept = request.cookies.get(cookie_name(), "")
    return kept if DEVICE.fullmatch(kept) and "lms_device_anew" not in g else None


def _key(person_id: int, kind: str, what: str) -> str:
    secret: str = current_app.config["LMS_SECRET_KEY"]
    text = f"familiar\0{person_id}\0{kind}\0{what}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
