"""The world a demo is filled in: one process that holds the API, the relay, the jobs and the device hub on a clock it moves itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from xinzu.app.business_day import close_finished_days, run_recurring_jobs, settle, settle_own
from xinzu.app.demo.access import sandbox_url
from xinzu.app.gateway import DeviceHub
from xinzu.app.modules import load_modules, routes
from xinzu.app.process import keep_what_is_loaded
from xinzu.back.devices import api as devices
from xinzu.kernel.time import DEFAULT_CALENDAR, BusinessDate, FixedClock
from xinzu.platform.business_clock import offset_to, set_offset
from xinzu.platform.crypto.kms import KEYRING_FILE, FileKeyring
from xinzu.platform.db import NO_SETTINGS
from xinzu.platform.events.relay import Relay
from xinzu.platform.http.app import create_app
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.servers.nats import nats_url
from xinzu.platform.servers.ports import recorded
from xinzu.platform.servers.roles import database_urls
from xinzu.platform.settings import Settings

HTTP_TIMEOUT_S = 60.0
CONNECTIONS = 6
QUIET_POLL_S = 0.002
QUIET_LIMIT_S = 20.0
OBEY_LIMIT_S = 2.0
RETRY_S = 0.5  # a failed delivery is due again by then
_MONDAY = 0


@dataclass(frozen=True, slots=True)
class World:
    """Everything the demo's people touch: the product's API, the sandbox, and the clock."""

    runtime: Runtime
    clock: FixedClock
    relay: Relay
    api: httpx.AsyncClient
    sandbox: httpx.AsyncClient
    told: list[str] = field(default_factory=list)

    @property
    def gateway_url(self) -> str:
        return f"{str(self.sandbox.base_url).rstrip('/')}/gateway.do"

    @property
    def beijing_time(self) -> str:
        return self.clock.now().astimezone(DEFAULT_CALENDAR.zone).strftime("%Y-%m-%d %H:%M:%S")

    async def begin_day(self, on: BusinessDate) -> None:
        """Nine in the morning of a day: the day before is closed; what that causes is done by the next ``settle``."""
        self.clock.set(datetime.combine(on, datetime.min.time(), DEFAULT_CALENDAR.zone).replace(hour=9))
        await set_offset(self.runtime.database, offset_to(self.clock.now()), first=True)
        await close_finished_days(self.runtime)
        if on.weekday() == _MONDAY:  # they pick up what was left over; in a world without accidents that is little
            await self.settle()
            await run_recurring_jobs(self.runtime)
            await settle(self.runtime, self.relay)

    async def settle(self) -> None:
        """Until nobody has anything to do: events, jobs, and the twins' callbacks."""
        failures = self.relay.failures
        settled = await settle_own(self.runtime, self.relay)
        while settled.jobs or settled.heard or self.told:
            if settled.jobs or self.told:
                self.told.clear()
                await self._callbacks_arrive()
            if any(name.startswith("devices.") for name in settled.heard):
                await self._phones_obey()
            if self.relay.failures > failures:
                failures = self.relay.failures
                await asyncio.sleep(RETRY_S)
                await settle(self.runtime, self.relay)
            settled = await settle_own(self.runtime, self.relay)

    async def _phones_obey(self) -> None:
        """Wait a moment for phones that are online and not yet at the level they should be at."""
        loop = asyncio.get_running_loop()
        until = loop.time() + OBEY_LIMIT_S
        while loop.time() < until and await self._commands_under_way():
            await asyncio.sleep(QUIET_POLL_S)

    async def _commands_under_way(self) -> int:
        under_way = 0
        for tenant_id in await self.runtime.tenant_ids():
            async with self.runtime.reading(tenant_id) as read:
                under_way += await devices.commands_under_way(read)
        return under_way

    async def _callbacks_arrive(self) -> None:
        """Wait until the twins have nothing to tell any more."""
        await self.sandbox.get("/control/deliveries", params={"wait_s": QUIET_LIMIT_S})

    async def tell_sandbox(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401
        """Move something in the sandbox; what the twins then call back about is waited for by the next ``settle``."""
        self.told.append(path)
        response = await self.sandbox.post(path, json=body)
        response.raise_for_status()
        return response.json() if response.content else None


@asynccontextmanager
async def open_world(
    settings: Settings, start: datetime, server_settings: Mapping[str, str] = NO_SETTINGS
) -> AsyncIterator[World]:
    """The product in this process at ``start``; its API answers on the port recorded for the home, where callbacks go."""
    load_modules()
    clock = FixedClock(start)
    database = Database(database_urls(settings).app.get_secret_value(), pool_size=CONNECTIONS, server_settings=server_settings)
    runtime = Runtime(settings, database, FileKeyring.open_or_create(settings.home / KEYRING_FILE), Outbound(), clock)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Runtime]:
        yield runtime

    port = recorded(settings.home, "api") or settings.http_port
    server = Server(
        create_app(settings, routes(), opened),
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        log_access=False,
    )
    serving = asyncio.create_task(server.serve())
    sandbox_port = recorded(settings.home, "sandbox") or settings.sandbox_port
    timeout = httpx.Timeout(HTTP_TIMEOUT_S)
    keep_what_is_loaded()
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=timeout) as api,
        httpx.AsyncClient(base_url=sandbox_url(sandbox_port), timeout=timeout) as sandbox,
    ):
        await _answers(api, serving)
        hub = asyncio.create_task(DeviceHub(runtime, lambda: nats_url(settings)).run())
        try:
            yield World(runtime, clock, Relay(runtime), api, sandbox)
        finally:
            hub.cancel()
            with suppress(asyncio.CancelledError):
                await hub
            server.stop()  # type: ignore[no-untyped-call]
            with suppress(asyncio.CancelledError):
                await asyncio.wait_for(serving, 10)
            await runtime.close()


async def _answers(api: httpx.AsyncClient, serving: asyncio.Task[Any]) -> None:
    for _ in range(400):
        if serving.done():
            serving.result()
            raise RuntimeError("the API stopped before it answered")
        with suppress(httpx.TransportError):
            if (await api.get("/livez")).is_success:
                return
        await asyncio.sleep(0.05)
    raise RuntimeError("the API did not begin to answer")
