"""What the api, the worker and the gateway have in common: a runtime over the configured servers."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from xinzu.app.modules import load_modules
from xinzu.kernel.time import SystemClock
from xinzu.platform.business_clock import first_offset, follow
from xinzu.platform.crypto.kms import KEYRING_FILE, FileKeyring
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.servers.roles import database_urls
from xinzu.platform.settings import Settings


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists, as the API's server has it; None stands for asyncio's own loop."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def keep_what_is_loaded() -> None:
    """What was loaded by now stays for good. Left to the collector, looking through it stops the process for a tenth of a second
    again and again.
    """
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def open_runtime(settings: Settings, *, pool_size: int = 10) -> AsyncIterator[Runtime]:
    """A runtime as the app role, with the business clock followed. The schema must exist (``xinzu migrate``).

    A process that comes up while the database is down waits for it: ending instead would only be a slower way of waiting.
    """
    load_modules()
    database = Database(database_urls(settings).app.get_secret_value(), pool_size=pool_size)
    clock = SystemClock(await first_offset(database))
    runtime = Runtime(settings, database, FileKeyring.open_or_create(settings.home / KEYRING_FILE), Outbound(), clock)
    following = asyncio.create_task(follow(database, clock))
    keep_what_is_loaded()
    try:
        yield runtime
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        await runtime.close()
