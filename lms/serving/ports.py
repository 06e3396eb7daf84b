"""Ports and addresses of this machine."""

from __future__ import annotations

import errno
import socket

from lms.errors import Misconfigured

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - chosen by whoever starts the server, never by default


def check_port(host: str, port: int) -> None:
    """Raise Misconfigured, naming a port that is free, unless `port` can be listened on."""
    with socket.socket() as probe:
        # As servers do: a port whose last connection has only just closed is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise Misconfigured(f"You may not open port {port}. Choose one above 1023.") from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Misconfigured(
                    f"Port {port} is in use. Choose another, for example PORT={free_port(host)}."
                ) from error
            raise Misconfigured(f"Nothing can listen at {host}: {error.strerror}.") from error


def free_port(host: str = LOOPBACK) -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def find_lan_address() -> str | None:
    """Return this machine's address in its local network, or None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing: connecting a datagram socket only chooses the way out. The address
            # is one of those kept for documentation (RFC 5737), where nobody is.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        found: str = probe.getsockname()[0]
    return None if found.startswith("127.") else found
