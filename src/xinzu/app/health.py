"""/livez, /readyz and /metrics for processes that have no API of their own: a few lines of HTTP/1.1 on asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from xinzu.platform.db import DATABASE_TROUBLE
from xinzu.platform.runtime import Runtime
from xinzu.platform.settings import Settings

REQUEST_LINE_MAX = 2048


@asynccontextmanager
async def serve_health(settings: Settings, port: int, runtime: Runtime) -> AsyncIterator[None]:
    """Answer health requests on a loopback port while the block runs."""

    async def ready() -> bool:
        try:
            async with runtime.database.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except DATABASE_TROUBLE:
            return False
        return True

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            path = head[:REQUEST_LINE_MAX].split(b" ", 2)[1] if head.count(b" ") >= 2 else b""
            status, kind, body = "200 OK", "text/plain; charset=utf-8", b"ok"
            if path == b"/metrics":
                kind, body = CONTENT_TYPE_LATEST, generate_latest()
            elif path == b"/readyz":
                if not await ready():
                    status, body = "503 Service Unavailable", b"the database is not reachable"
            elif path != b"/livez":
                status, body = "404 Not Found", b"/livez /readyz /metrics"
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(on_connection, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
