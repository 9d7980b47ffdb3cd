"""Two merchants, one of them with rentals of every kind, filled through the public commands against the twins on servers of their own.

The fixture ``filled`` of the root conftest: the architecture tests probe it from the other tenant, the contract tests fuzz its API.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.contract.conftest import Sandbox
from xinzu.app.demo.access import sandbox_environment
from xinzu.app.demo.fill import Rental, inspect, live_one_day, receive_return
from xinzu.app.demo.people import Behaviour, Customer, customers
from xinzu.app.demo.shop import OFFERS, Shop, open_shop
from xinzu.app.demo.world import World, open_world
from xinzu.app.modules import load_modules
from xinzu.app.sandbox.phone import PhoneFleet
from xinzu.app.sandbox.server import sandbox_folder
from xinzu.kernel.time import DEFAULT_CALENDAR
from xinzu.platform.schema import migrate
from xinzu.platform.servers.nats import EmbeddedNats
from xinzu.platform.servers.ports import free_port
from xinzu.platform.servers.postgres import temporary_postgres
from xinzu.platform.servers.roles import ensure_roles_and_database
from xinzu.platform.settings import Settings

DAYS = 45  # the second rent falls due after a month; a dozen days later the phone is locked and the case still open
START = datetime(2026, 1, 12, 8, 0, tzinfo=DEFAULT_CALENDAR.zone)
CUSTOMERS_FROM = 200
KINDS = (
    Behaviour.LOCKED,
    Behaviour.FORGETFUL,
    Behaviour.EARLY_RETURN,
    Behaviour.REFERRED,
    Behaviour.DECLINED,
    Behaviour.CHANGES_MIND,
)
DATABASE = "xinzu_world"


@dataclass(frozen=True, slots=True)
class Filled:
    """The world with its merchants: ``ours`` has rentals of every behaviour, ``theirs`` has the API keys and nothing else."""

    world: World
    ours: Shop
    theirs: Shop
    rentals: list[Rental]
    owner: AsyncEngine
    settings: Settings


@asynccontextmanager
async def filled_world(home: Path) -> AsyncIterator[Filled]:
    """Seven weeks of one rental of each kind, one of which ends by a return with damage."""
    load_modules()
    with temporary_postgres() as server, EmbeddedNats(home, client_port=0, mqtt_port=0, monitor_port=0) as broker:
        urls = await ensure_roles_and_database(server.admin_url, home, DATABASE)
        await migrate(urls.owner.get_secret_value())
        sandbox = Sandbox(sandbox_folder(home), free_port(0))
        settings = _settings(home, server.admin_url, broker.url, sandbox.port)
        owner = create_async_engine(urls.owner.get_secret_value())
        await asyncio.to_thread(sandbox.start)
        try:
            async with open_world(settings, START) as world, _phones(world, broker):
                ours, theirs = [await open_shop(world.runtime, world.api, slug, world.gateway_url) for slug in OFFERS]
                rentals = [Rental(customer, ours, 0) for customer in _one_of_each()]
                for day in range(DAYS):
                    await live_one_day(world, rentals, day, START.date() + timedelta(days=day))
                await _bring_back(world, rentals)
                yield Filled(world, ours, theirs, rentals, owner, settings)
        finally:
            await asyncio.to_thread(sandbox.stop)
            await owner.dispose()


def _settings(home: Path, database: str, broker: str, sandbox_port: int) -> Settings:
    base: dict[str, Any] = {
        "home": home,
        "database_url": database,
        "database_name": DATABASE,
        "nats_url": broker,
        "http_port": free_port(0),
        "sandbox_port": sandbox_port,
        "demo": True,
    }
    twins: dict[str, Any] = dict(sandbox_environment(Settings(**base), sandbox_port))
    return Settings(**base, **{name.removeprefix("XINZU_").lower(): value for name, value in twins.items()})


@asynccontextmanager
async def _phones(world: World, broker: EmbeddedNats) -> AsyncIterator[None]:
    """The customers' phones are on."""
    ports = broker.ports
    assert ports is not None
    running = asyncio.create_task(PhoneFleet(world.runtime.settings.home, world.clock, "127.0.0.1", lambda: ports.mqtt).run())
    yield
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def _bring_back(world: World, rentals: list[Rental]) -> None:
    """The one who does not want it any longer comes to the counter."""
    for rental in rentals:
        if rental.customer.behaviour is Behaviour.EARLY_RETURN:
            await receive_return(world, rental)
            await world.settle()
            await inspect(world, rental)
    await world.settle()


def _one_of_each() -> list[Customer]:
    """The first customer of every kind; all of them apply on the first day."""
    chosen: dict[Behaviour, Customer] = {}
    for customer in customers(CUSTOMERS_FROM, DAYS, START.date()):
        chosen.setdefault(customer.behaviour, customer)
    return [replace(chosen[kind], applies_on_day=0) for kind in KINDS]
