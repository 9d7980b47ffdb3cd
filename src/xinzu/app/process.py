"""What the api, the worker and the gateway have in common: a runtime over the configured servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog

from xinzu.app.modules import load_modules
from xinzu.kernel.time import SystemClock
from xinzu.platform.business_clock import follow, read_offset
from xinzu.platform.crypto.kms import KEYRING_FILE, FileKeyring
from xinzu.platform.db import DATABASE_TROUBLE, is_connection_loss
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.servers.roles import database_urls
from xinzu.platform.settings import Settings

log = structlog.get_logger(__name__)

DATABASE_WAIT_MAX_S = 15.0
DATABASE_POLL_S = 0.2


@asynccontextmanager
async def open_runtime(settings: Settings, *, pool_size: int = 10) -> AsyncIterator[Runtime]:
    """A runtime as the app role, with the business clock followed. The schema must exist (``xinzu migrate``).

    A process that comes up while the database is down waits for it: ending instead would only be a slower way of waiting.
    """
    load_modules()
    database = Database(database_urls(settings).app.get_secret_value(), pool_size=pool_size)
    clock = SystemClock(await _offset_once_there(database))
    runtime = Runtime(settings, database, FileKeyring.open_or_create(settings.home / KEYRING_FILE), Outbound(), clock)
    following = asyncio.create_task(follow(database, clock))
    try:
        yield runtime
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        await runtime.close()


async def _offset_once_there(database: Database) -> timedelta:
    """The business clock's offset as soon as the database answers; raises what it last said when it does not in time."""
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
