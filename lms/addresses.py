"""Addresses that this server opens connections to: which may be typed, and where a name may lead.

Whoever may type an address makes this server open connections, and mostly sends a secret with them.
So: https, or http inside a private network; no secrets in the address itself; and inside this
machine or a private network only where whoever runs the installation said so
(LMS_PRIVATE_NETWORKS). What was typed is judged when it is saved (`read_address`), and where its
name leads at each connection, before anything is opened (`connect`, `transport`): a name may stand
for another address a minute later.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import current_app

from lms.errors import Invalid, Sentence

if TYPE_CHECKING:
    import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SETTING = "LMS_PRIVATE_NETWORKS"
# Where clouds keep the secrets of their machines: no setting opens these.
_CLOUDS = frozenset(
    ipaddress.ip_address(one)
    for one in (
        "169.254.169.254",  # most of them
        "169.254.170.2",  # Amazon's containers
        "fd00:ec2::254",  # Amazon
        "fd20:ce::254",  # Google
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure
        "192.0.0.192",  # Oracle
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291, 2.5.5.1
# What browsers and libc read as an IPv4 address: 2130706433, 0x7f.1, 0177.0.0.1, 127.1.
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z", re.I)
_PRIVATE_NAMES = (".localhost", ".internal", ".local")


class NotThere(OSError):
    """A name leads where nothing may be opened; the sentence says what to do."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


class WrongAddress(ValueError):
    """An address that cannot be taken.

    code: `address`, `secrets`, `query`, `forbidden` (never), `private` (only where the setting
    names its network, `place`) or `plain` (http over a wire that is not ours).
    """

    def __init__(self, code: str, place: str = "") -> None:
        super().__init__(code)
        self.code, self.place = code, place


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read networks separated by commas, as 10.1.0.0/16; raises ValueError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tuple(ipaddress.ip_network(part) for part in parts)
    except ValueError as error:
        raise ValueError(f"{error}; write networks like 10.1.0.0/16, separated by commas") from None


def allowed_networks() -> tuple[Network, ...]:
    """Return the private networks that the administrator chose."""
    networks: tuple[Network, ...] = current_app.config[SETTING]
    return networks


def read_address(text: str, field: str, networks: Sequence[Network] | None = None) -> str:
    """Return an address as it is kept, without blanks around it; raises Invalid, in words.

    field: the form field to blame. networks: private ones that may be reached; None: the setting's.
    """
    try:
        return check_address(text, allowed_networks() if networks is None else networks)
    except WrongAddress as error:
        raise Invalid(in_words(error), field) from None


def check_address(text: str, networks: Sequence[Network]) -> str:
    """Return an address without blanks around it; raises WrongAddress. No name is looked up."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise WrongAddress("address") from None
    if parts.scheme not in ("http", "https") or not host or set(text) & set(" \t\r\n\\"):
        raise WrongAddress("address")
    if parts.username is not None or parts.password is not None:
        raise WrongAddress("secrets")
    if parts.query or parts.fragment:
        raise WrongAddress("query")
    literal = find_literal(host)
    if literal is None and _NUMBER.match(host.rstrip(".").rpartition(".")[2]):
        raise WrongAddress("address")  # 2130706433 and its kind: nobody writes them in good faith
    if literal is None and (host == "localhost" or host.endswith(".localhost")):
        check_place(ipaddress.IPv4Address("127.0.0.1"), networks)
    if literal is not None:
        check_place(literal, networks)
    if parts.scheme == "http" and not _may_be_plain(host, literal, networks):
        raise WrongAddress("plain")
    return text


def check_place(place: Address, networks: Iterable[Network]) -> None:
    """Raise WrongAddress where no connection may be opened to an IP address."""
    if place in _CLOUDS or place.is_link_local or place.is_multicast or place.is_unspecified:
        raise WrongAddress("forbidden", str(place))
    if not place.is_global and not _is_inside(place, networks):
        raise WrongAddress("private", str(place))


def in_words(error: WrongAddress) -> Sentence:
    """Return what is wrong with an address, and what to do."""
    if error.code == "private":
        return Sentence(
            "%(place)s is on this machine or in a private network. Where that is meant, whoever "
            "runs the installation names the network in LMS_PRIVATE_NETWORKS, as "
            "%(place)s/%(bits)s or a larger one.",
            place=error.place,
            bits=ipaddress.ip_address(error.place).max_prefixlen,
        )
    sentences = {
        "address": Sentence("Write the whole address, with its name, like https://example.com."),
        "secrets": Sentence(
            "Leave key and secret out of the address: they have fields of their own."
        ),
        "query": Sentence("Leave out what follows a question mark or a hash."),
        "forbidden": Sentence(
            "This address is set aside for machines themselves: no server of yours can be there."
        ),
        "plain": Sentence(
            "Write https: over http, anybody on the way could read the secret. "
            "http is for this machine or a private network alone."
        ),
    }
    return sentences[error.code]


def find_literal(host: str) -> Address | None:
    """Return the IP address that a host is, unpacked where it wears an IPv6 coat; or None."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return _unpack(found) if isinstance(found, ipaddress.IPv6Address) else found


def connect(
    address: tuple[str, int],
    timeout: float | None = None,
    source_address: Any = None,
    *,
    networks: Sequence[Network],
    plain: bool = False,
) -> socket.socket:
    """Open a connection where a name leads, if it may lead there; stands for create_connection.

    The name is looked up once, and what is connected to is what was judged. plain: nothing is
    encrypted, so that it has to be one of `networks`. Raises NotThere, or what a socket raises.
    """
    host, port = address
    refused: OSError | None = None
    for place in resolve(host, port, networks, plain):
        try:
            return socket.create_connection((place, port), timeout, source_address)
        except OSError as error:
            refused = error
    raise refused or OSError(f"{host} leads nowhere")


def resolve(host: str, port: int, networks: Sequence[Network], plain: bool) -> list[str]:
    """Return the IP addresses that a name stands for now and that may be opened.

    Raises NotThere, with the reason of the first, where none may; OSError where it is unknown.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    places: list[str] = []
    refused: NotThere | None = None
    for place in dict.fromkeys(str(one[4][0]) for one in found):
        address = find_literal(place)
        try:
            if address is None:
                raise WrongAddress("address")
            check_place(address, networks)
            if plain and not _is_inside(address, networks):
                raise WrongAddress("plain")
        except WrongAddress as error:
            refused = refused or NotThere(
                Sentence(
                    "%(host)s leads to %(place)s. %(why)s",
                    host=host,
                    place=str(place),
                    why=in_words(error),
                )
            )
        else:
            places.append(place)
    if refused is not None and not places:
        raise refused
    return places


def transport(
    networks: Sequence[Network] | None = None, *, plain: bool = False
) -> httpx.BaseTransport:
    """Return the way by which httpx opens connections only where they may lead.

    No proxy of the environment is asked. Redirects are httpx's to follow or not; each would open
    its connection here, too.
    """
    import httpcore
    import httpx

    chosen = allowed_networks() if networks is None else networks

    class Backend(httpcore.SyncBackend):
        """Opens what was judged; TLS is still asked of the name."""

        def connect_tcp(self, host: str, port: int, *args: Any, **more: Any) -> Any:
            refused: Exception | None = None
            try:
                places = resolve(host, port, chosen, plain)
            except NotThere:
                raise  # it goes through httpx as it is
            except OSError as error:
                raise httpcore.ConnectError(str(error)) from error
            for place in places:
                try:
                    return super().connect_tcp(place, port, *args, **more)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                    refused = error
            raise refused or httpcore.ConnectError(f"{host} leads nowhere")

    made = httpx.HTTPTransport(trust_env=False)
    made._pool = httpcore.ConnectionPool(
        ssl_context=httpx.create_ssl_context(), network_backend=Backend()
    )
    return made


def _is_inside(place: Address, networks: Iterable[Network]) -> bool:
    return any(place.version == one.version and place in one for one in networks)


def _may_be_plain(host: str, literal: Address | None, networks: Iterable[Network]) -> bool:
    """Tell whether a host may be one of a private network; where a name leads is seen later."""
    if literal is not None:
        return _is_inside(literal, networks)
    return "." not in host or host.endswith(_PRIVATE_NAMES)


def _unpack(address: ipaddress.IPv6Address) -> Address:
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if inner is None and address in _COMPATIBLE and int(address) > 1:  # not :: and not ::1
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address
