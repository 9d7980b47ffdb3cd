"""Raw answers of the twins: header and body in one write, and the two ways of not answering."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

# Callers give up long before; the bound only keeps a forgotten connection from staying for ever.
HANG_S_MAX = 120.0


@dataclass(frozen=True, slots=True)
class RawReply:
    """An answer as bytes."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        headers.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


async def dropped(scope: Scope, receive: Receive, send: Send) -> None:
    """Promise a body and break off: the caller sees a connection closed in the middle of the answer."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1024")]})
    # Promising more and returning is what makes the server close the connection.
    await send({"type": "http.response.body", "body": b"{", "more_body": True})


async def hanging(scope: Scope, receive: Receive, send: Send) -> None:
    """Say nothing until the caller goes away."""
    try:
        async with asyncio.timeout(HANG_S_MAX):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        pass
    await dropped(scope, receive, send)


def json_reply(status: int, content: object, headers: Mapping[str, str] | None = None) -> ASGIApp:
    """An answer as JSON."""
    return RawReply(status, msgspec.json.encode(content), {"content-type": "application/json", **(headers or {})})
