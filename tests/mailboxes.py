"""A real mail server for tests: it keeps what it takes, and misbehaves as a test tells it to."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.databases import free_port


@dataclass
class Sink:
    """What the server took, was asked, and is to answer.

    refuse: answer to RCPT, by address. answer: to the whole mail; "drop" takes it and hangs up
    without a word. rejects: answer to MAIL, for every sender.
    """

    port: int
    taken: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)  # receivers of whole mails, taken or not
    connections: int = 0
    answer: str = "250 taken"
    rejects: str = ""
    refuse: dict[str, str] = field(default_factory=dict)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.rejects or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        answer = self.refuse.get(address, "250 OK")
        if answer == "drop":
            server.transport.abort()
            await asyncio.sleep(0)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.heard += envelope.rcpt_tos
        if self.answer == "drop":
            server.transport.abort()
            return "250 lost on the way"
        if self.answer.startswith("250"):
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.taken.append((envelope.rcpt_tos, mail))
        return self.answer

    def receivers(self) -> list[str]:
        """Return who got a mail, in order."""
        return [address for receivers, _mail in self.taken for address in receivers]


@contextmanager
def mail_server() -> Iterator[Sink]:
    """Run a mail server for as long as the block lasts."""
    made = Sink(free_port())
    controller = Controller(made, hostname="127.0.0.1", port=made.port)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()


@contextmanager
def silent_server() -> Iterator[tuple[int, list[socket.socket]]]:
    """A server that takes connections and says nothing: its port, and what it took."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        listener = threading.Thread(target=take)
        listener.start()
        try:
            yield server.getsockname()[1], taken
        finally:
            server.shutdown(socket.SHUT_RDWR)
            listener.join(10)
            for connection in taken:
                connection.close()
