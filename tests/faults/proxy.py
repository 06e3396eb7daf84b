"""A TCP proxy that misbehaves on demand, in a process of its own.

Modes, written to its pipe one a line:

- pass, mixed (any of MODES, by request);
- gone (nobody listens), refuse (reset at once), hang, cut (in mid-request), reset (after the request
  was forwarded: the answer is thrown away), drip, short (the answer ends in its middle), deaf (the
  request is read, answered by nothing and closed);
- a status: 500, 502, 503, 504, 429, 401, 403, 413 (for bodies above a size, as real servers do),
  400 (of something that is no LRS), 302;
- 429:SECONDS, 503:SECONDS with Retry-After in seconds; 503@SECONDS as a date so far ahead;
- portal, empty, list, other: 200 that is not an LRS's answer.

What it does to each request is written to its log: moment and mode, a line each.
"""

from __future__ import annotations

import asyncio
import email.utils
import os
import random
import socket
import ssl
import struct
import time
from pathlib import Path

MODES = (
    "pass",
    "refuse",
    "hang",
    "drip",
    "short",
    "deaf",
    "reset",
    "cut",
    "500",
    "502",
    "503",
    "504",
    "429",
    "413",
    "401",
    "portal",
)
LARGE_BYTES = 20_000
_REASONS = {
    "302": "Found",
    "400": "Bad",
    "401": "Who",
    "403": "No",
    "413": "Large",
    "429": "Slowly",
    "500": "Broken",
    "502": "Bad",
    "503": "Away",
    "504": "Late",
}
_NO_LRS = {
    "portal": "<html><title>Sign in to the network</title></html>",
    "empty": "",
    "list": "[]",
    "other": '["11111111-1111-4111-8111-111111111111"]',
}


class Proxy:
    """Forwards HTTP/1.1 requests with a Content-Length to one port of the loopback interface."""

    def __init__(self, upstream: int, seed: int, log: Path | None = None) -> None:
        self.upstream = upstream
        self.mode = "pass"
        self.chance = random.Random(seed)
        self.log = log.open("a", buffering=1) if log else None
        self.open: set[asyncio.StreamWriter] = set()

    def hang_up(self) -> None:
        """End every connection."""
        for writer in list(self.open):
            writer.transport.abort()

    async def cut_handshake(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Hear the beginning of a TLS handshake, and be gone."""
        await reader.read(5)
        self.note(self.mode)
        self._reset(writer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends or is ended."""
        self.open.add(writer)
        try:
            while await self._request(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    def note(self, mode: str) -> None:
        """Write down what is done to a request."""
        if self.log:
            self.log.write(f"{time.time():.6f} {mode}\n")

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        mode = self.mode
        if mode == "mixed":
            mode = self.chance.choice(MODES)
        if mode == "refuse":
            self.note(mode)
            return self._reset(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        if self.mode != "mixed":
            mode = self.mode  # said meanwhile, on a connection that was kept open
        self.note(mode)
        length = _length(head)
        if mode == "cut":
            await reader.readexactly(length // 2)
            return self._reset(writer)
        body = await reader.readexactly(length)
        if mode == "hang":
            await asyncio.sleep(3600)
        if mode == "deaf":
            return False
        spoken = _speak(mode, length)
        if spoken:
            writer.write(spoken)
            await writer.drain()
            return True
        answer = await self._forward(head + body)
        if mode == "reset":
            return self._reset(writer)
        if mode == "short":
            writer.write(answer[: len(answer) - 5])
            await writer.drain()
            return False
        if mode == "drip":
            for byte in answer:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.1)
            return False
        writer.write(answer)
        await writer.drain()
        return True

    async def _forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            return head + await reader.readexactly(_length(head))
        finally:
            writer.close()

    def _reset(self, writer: asyncio.StreamWriter) -> bool:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False


def _speak(mode: str, length: int) -> bytes | None:
    """Return what the proxy says itself in a mode; None where it asks the record store."""
    if mode in _NO_LRS:
        text = _NO_LRS[mode]
        return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
    status, seconds, ahead = mode.partition(":")[0], mode.partition(":")[2], ""
    if "@" in mode:
        status, _, ahead = mode.partition("@")
    if status not in _REASONS or (status == "413" and length <= LARGE_BYTES):
        return None
    after = seconds or ("0" if status in ("429", "503") else "")
    if ahead:
        after = email.utils.formatdate(time.time() + float(ahead), usegmt=True)
    more = f"Retry-After: {after}\r\n" if after else ""
    if status == "302":
        more = "Location: http://127.0.0.1:9/elsewhere/\r\n"
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\n{more}Content-Length: 4\r\n\r\n"
    return f"{head}oops".encode()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def run(
    listener: socket.socket,
    upstream: int,
    control: int,
    seed: int,
    log: Path | None = None,
    certificates: Path | None = None,
) -> None:
    """Serve until killed; `control` is the reading end of the pipe that says the mode.

    With certificates (a folder of NAME.pem), it speaks TLS, and the modes `tls NAME` choose one;
    `tls cut` ends each handshake in its middle.
    """
    address = listener.getsockname()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificates else None
    if context is not None and certificates is not None:
        context.load_cert_chain(certificates / "good.pem")
    proxy = Proxy(upstream, seed, log)

    async def main() -> None:
        server = await asyncio.start_server(proxy.serve, sock=listener, ssl=context)
        lines: asyncio.Queue[str] = asyncio.Queue()

        def listen() -> None:
            said = os.read(control, 4096).decode().splitlines()
            if not said:
                asyncio.get_running_loop().remove_reader(control)
            else:
                lines.put_nowait(said[-1])

        asyncio.get_running_loop().add_reader(control, listen)
        while True:
            proxy.mode = mode = await lines.get()
            if mode != "gone" and not mode.startswith("tls ") and server.is_serving():
                continue
            server.close()
            proxy.hang_up()
            if mode == "gone":
                continue
            name = mode.partition("tls ")[2] or "good"
            if context is not None and certificates is not None and name != "cut":
                context.load_cert_chain(certificates / f"{name}.pem")
            server = await asyncio.start_server(
                proxy.cut_handshake if name == "cut" else proxy.serve,
                *address,
                ssl=None if name == "cut" else context,
            )

    asyncio.run(main())
