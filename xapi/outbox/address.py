"""Where a record store may be: what an administrator may type as its address. Pure.

Whoever sends statements sends a key with them, and whoever may type an address makes this server
open connections. So: https, or http where the wire is our own; and never the addresses that a
cloud gives its machines their secrets at.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where clouds keep the secrets of their machines, besides the link-local 169.254.169.254.
_CLOUDS = frozenset(
    ipaddress.ip_address(one)
    for one in (
        "fd00:ec2::254",  # Amazon
        "fd20:ce::254",  # Google
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure
        "192.0.0.192",  # Oracle
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291, 2.5.5.1


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
    if parts.scheme == "http" and not is_ours(host, literal):
        raise ValueError("plain")
    return text if text.endswith("/") else text + "/"


def find_literal(host: str) -> Address | None:
    """Return the IP address that a host is, unpacked where it wears an IPv6 coat; or None."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return _unpack(found) if isinstance(found, ipaddress.IPv6Address) else found


def is_forbidden(address: Address) -> bool:
    """Tell whether no record store can be there: link-local, of a cloud itself, multicast, none."""
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address in _CLOUDS
    )


def is_ours(host: str, literal: Address | None) -> bool:
    """Tell whether a host is on a wire of our own, by its address or else by its name."""
    if literal is not None:
        return literal.is_private or literal.is_loopback
    return host == "localhost" or host.endswith((".localhost", ".internal", ".local"))


def _unpack(address: ipaddress.IPv6Address) -> Address:
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if inner is None and address in _COMPATIBLE and int(address) > 1:  # not :: and not ::1
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address
