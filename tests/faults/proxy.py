"""A TCP proxy that misbehaves on demand, in a process of its own.

Modes, written to its pipe one a line: pass, refuse, hang, drip, reset (after the request was
forwarded, the answer is thrown away and the connection reset), cut (in mid-request), 500, 503,
429, 413 (for bodies above a size, as real servers do), 401, mixed (any of these, by request).
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct

MODES = ("pass", "refuse", "hang", "drip", "reset", "cut", "500", "503", "429", "413", "401")
LARGE_BYTES = 20_000
_REASONS = {"500": "Broken", "503": "Away", "429": "Slowly", "413": "Large", "401": "Who"}


class Proxy:
    """Forwards HTTP/1.1 requests with a Content-Length to one port of the loopback interface."""

    def __init__(self, upstream: int, seed: int) -> None:
        self.upstream = upstream
        self.mode = "pass"
        self.chance = random.Random(seed)
        self.seen: dict[str, int] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends or is ended."""
        try:
            while await self._request(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        mode = self.mode
        if mode == "mixed":
            mode = self.chance.choice(MODES)
        if mode == "refuse":
            return self._reset(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        self.seen[mode] = self.seen.get(mode, 0) + 1
        length = _length(head)
        if mode == "cut":
            await reader.readexactly(length // 2)
            return self._reset(writer)
        body = await reader.readexactly(length)
        if mode == "hang":
            await asyncio.sleep(3600)
        if mode in _REASONS and (mode != "413" or length > LARGE_BYTES):
            after = "Retry-After: 0\r\n" if mode in ("429", "503") else ""
            writer.write(
                f"HTTP/1.1 {mode} {_REASONS[mode]}\r\n{after}Content-Length: 4\r\n\r\noops".encode()
            )
            await writer.drain()
            return True
        answer = await self._forward(head + body)
        if mode == "reset":
            return self._reset(writer)
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


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def run(listener: socket.socket, upstream: int, control: int, seed: int) -> None:
    """Serve until killed; `control` is the reading end of the pipe that says the mode."""

    async def main() -> None:
        proxy = Proxy(upstream, seed)
        server = await asyncio.start_server(proxy.serve, sock=listener)

        def listen() -> None:
            words = os.read(control, 4096).decode().split()
            if not words:
                asyncio.get_running_loop().remove_reader(control)
            else:
                proxy.mode = words[-1]

        asyncio.get_running_loop().add_reader(control, listen)
        async with server:
            await server.serve_forever()

    asyncio.run(main())
