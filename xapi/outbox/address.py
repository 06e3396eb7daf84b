"""Where a record store may be: what an administrator may type as its address. Pure.

Whoever sends statements sends a key with them, and whoever may type an address makes this server
open connections. So: https, or http where the wire is our own; and never the addresses that a
cloud gives its machines their secrets at.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def read_endpoint(text: str) -> str:
    """Return an endpoint as it is kept, with the slash at its end.

    Raises ValueError with the name of what is wrong: `address`, `secrets`, `query`, `forbidden`
    or `plain` (http over a wire that is not ours).
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("address") from None
    if parts.scheme not in ("http", "https") or not host or set(text) & set(" \t\r\n\\"):
        raise ValueError("address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("secrets")
    if parts.query or parts.fragment:
        raise ValueError("query")
    literal = find_literal(host)
    if literal is not None and is_forbidden(literal):
        raise ValueError("forbidden")
    if parts.scheme == "http" and not _is_ours(host, literal):
        raise ValueError("plain")
    return text if text.endswith("/") else text + "/"


def find_literal(host: str) -> Address | None:
    """Return the IP address that a host is, unpacked where it wears an IPv6 coat; or None."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped or found


def is_forbidden(address: Address) -> bool:
    """Tell whether no record store can be there: link-local (cloud metadata), multicast, none."""
    return address.is_link_local or address.is_multicast or address.is_unspecified


def _is_ours(host: str, literal: Address | None) -> bool:
    if literal is not None:
        return literal.is_private or literal.is_loopback
    return host == "localhost" or host.endswith((".localhost", ".internal", ".local"))
