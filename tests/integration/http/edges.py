"""The API over a runtime whose settings a test has chosen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx

from xinzu.app.modules import routes
from xinzu.kernel.time import Clock
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.http.app import attached, create_app
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.servers.roles import DatabaseUrls
from xinzu.platform.settings import Settings


@asynccontextmanager
async def runtime_with(database_urls: DatabaseUrls, settings: Settings, clock: Clock) -> AsyncIterator[Runtime]:
    made = Runtime(
        settings,
        Database(database_urls.app.get_secret_value(), pool_size=3),
        FileKeyring.open_or_create(settings.home / "keyring.json"),
        Outbound(),
        clock,
    )
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def api_over(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Runtime]:
        yield runtime

    app = create_app(runtime.settings, routes(), opened)
    transport = httpx.ASGITransport(app=cast(Any, app), raise_app_exceptions=False)
    async with attached(app, runtime), httpx.AsyncClient(transport=transport, base_url="http://xinzu.test") as client:
        yield client
