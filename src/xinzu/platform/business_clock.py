"""The business clock: the wall clock plus an offset kept in one row, so that every process of a demo lives at the same instant.

In production the offset is zero and cannot be moved (``xinzu clock`` refuses unless the installation is a demo). It only moves forward:
a business day that was closed does not come back.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import text

from xinzu.kernel.errors import Conflict
from xinzu.kernel.time import Instant, SystemClock
from xinzu.platform.db import DATABASE_TROUBLE, is_connection_loss
from xinzu.platform.runtime import Database

log = structlog.get_logger(__name__)

CHANNEL = "xinzu_clock"
POLL_SECONDS = 5.0
DATABASE_WAIT_MAX_S = 15.0
DATABASE_POLL_S = 0.2


class ClockMovesForwardOnly(Conflict):
    code = "clock.forward_only"
    title_zh = "业务时钟只能向前拨"
    title_en = "The business clock only moves forward"


async def read_offset(database: Database) -> timedelta:
    """How far business time runs ahead of the wall clock."""
    async with database.engine.connect() as connection:
        seconds = (await connection.execute(text("SELECT offset_seconds FROM platform_business_clock"))).scalar()
    return timedelta(seconds=int(seconds or 0))


async def first_offset(database: Database) -> timedelta:
    """The offset for a process that is coming up: it waits while the database is away, and raises what was last wrong when that
    lasts longer than a restart."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DATABASE_WAIT_MAX_S
    while True:
        try:
            return await read_offset(database)
        except DATABASE_TROUBLE as error:
            if not is_connection_loss(error) or loop.time() > deadline:
                raise
            log.warning("waiting for the database", reason=type(error).__name__)
        await asyncio.sleep(DATABASE_POLL_S)


async def set_offset(database: Database, offset: timedelta, *, first: bool = False) -> None:
    """Move business time for every process; raises ClockMovesForwardOnly when it would go back (except when it is set first)."""
    async with database.engine.begin() as connection:
        moved = await connection.execute(
            text(
                "INSERT INTO platform_business_clock (id, offset_seconds) VALUES (1, :seconds)"
                " ON CONFLICT (id) DO UPDATE SET offset_seconds = excluded.offset_seconds"
                " WHERE platform_business_clock.offset_seconds <= excluded.offset_seconds OR :first RETURNING offset_seconds"
            ),
            {"seconds": int(offset.total_seconds()), "first": first},
        )
        if moved.scalar() is None:
            raise ClockMovesForwardOnly()
        await connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


def offset_to(at: Instant) -> timedelta:
    """The offset that makes it that instant now."""
    return at - datetime.now(UTC)  # noqa: TID251 (the one place besides the kernel that compares with the wall clock)


async def follow(database: Database, clock: SystemClock) -> None:
    """Keep a process's clock on the shared offset: at once when it is moved, and by looking every few seconds. Never returns."""
    moved = asyncio.Event()
    while True:
        try:
            async with database.raw_connection() as connection:
                await connection.add_listener(CHANNEL, lambda *_: moved.set())
                while not connection.is_closed():
                    clock.offset = await read_offset(database)
                    try:
                        await asyncio.wait_for(moved.wait(), POLL_SECONDS)
                    except TimeoutError:
                        continue
                    finally:
                        moved.clear()
        except DATABASE_TROUBLE as error:
            log.warning("business clock lost the database, reconnecting", reason=type(error).__name__)
            await asyncio.sleep(1)
