"""Two merchants with rentals of every kind, filled through the public commands against the twins, in a database of their own.

A session's fixture ``world``: the architecture tests probe it from the other tenant, the contract tests fuzz its API.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from tests.contract.conftest import Sandbox

from xinzu.app.demo.access import sandbox_environment
from xinzu.app.demo.fill import Rental, live_one_day
from xinzu.app.demo.people import Behaviour, Customer, customers
from xinzu.app.demo.shop import OFFERS, PlanOffer, Shop, get, open_shop, post
from xinzu.app.demo.world import World, open_world
from xinzu.app.modules import load_modules
from xinzu.app.sandbox.server import sandbox_folder
from xinzu.kernel.time import DEFAULT_CALENDAR
from xinzu.platform.schema import migrate
from xinzu.platform.servers.ports import free_port
from xinzu.platform.servers.roles import ensure_roles_and_database, plain_url
from xinzu.platform.settings import Settings

DAYS = 104  # an early return comes after a hundred days
START = datetime(2026, 1, 12, 8, 0, tzinfo=DEFAULT_CALENDAR.zone)
CUSTOMERS_FROM = 200
STOCK = 12


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
async def filled_world(admin_url: str, home: Path) -> AsyncIterator[Filled]:
    load_modules()
    name = f"xinzu_world_{os.getpid()}"
    urls = await ensure_roles_and_database(admin_url, home, name)
    await migrate(urls.owner.get_secret_value())
    sandbox = Sandbox(sandbox_folder(home), free_port(0))
    base = Settings(
        home=home, database_url=admin_url, database_name=name, http_port=free_port(0), sandbox_port=sandbox.port, demo=True
    )
    twins = {key.removeprefix("XINZU_").lower(): value for key, value in sandbox_environment(base, sandbox.port).items()}
    settings = Settings(**{**base.model_dump(), **twins})
    owner = create_async_engine(urls.owner.get_secret_value())
    await asyncio.to_thread(sandbox.start)
    try:
        async with open_world(settings, START) as world:
            ours, theirs = [await open_shop(world.runtime, world.api, slug, world.gateway_url) for slug in OFFERS]
            rentals = [Rental(customer, ours, 0) for customer in _one_of_each(START)]
            for day in range(DAYS):
                await live_one_day(world, rentals, day, START.date() + timedelta(days=day))
            yield Filled(world, ours, theirs, rentals, owner, settings)
    finally:
        await asyncio.to_thread(sandbox.stop)
        await owner.dispose()
        connection = await asyncpg.connect(plain_url(admin_url))
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


def _one_of_each(start: datetime) -> list[Customer]:
    made = customers(CUSTOMERS_FROM, DAYS, start.date())
    chosen: dict[Behaviour, Customer] = {}
    for customer in made:
        chosen.setdefault(customer.behaviour, customer)
    return list(chosen.values())
