"""A webhook that keeps what it is given, and answers as it is told to."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Hook:
    """What was posted, as headers and body. It answers once `open` is set, with `status`."""

    status: int = 204
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    answer_body: bytes = b""
    answer_head: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    @property
    def said(self) -> list[str]:
        """The type of each message, in order."""
        return [json.loads(body)["type"] for _, body in self.posts]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The body of each message, in order."""
        return [json.loads(body) for _, body in self.posts]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request on each connection."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = {
                name.lower(): value
                for name, _, value in (
                    line.partition(": ") for line in head.splitlines()[1:] if line
                )
            }
            body = await reader.readexactly(int(headers["content-length"]))
            self.posts.append((headers, body))
            self.asked.set()
            await self.open.wait()
            writer.write(f"HTTP/1.1 {self.status} X\r\nConnection: close\r\n".encode())
            length = len(self.answer_body)
            head = f"Location: /elsewhere\r\nContent-Length: {length}\r\n{self.answer_head}\r\n"
            writer.write(head.encode())
            writer.write(self.answer_body)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


@asynccontextmanager
async def listening(path: str = "/hook", tls: ssl.SSLContext | None = None) -> AsyncIterator[Hook]:
    """A webhook on the loopback."""
    hook = Hook()
    server = await asyncio.start_server(hook.answer, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    hook.url = f"http{'s' if tls else ''}://127.0.0.1:{port}{path}"
    async with server:
        yield hook
        hook.open.set()
