"""A city for the stories: the provider twins as a process, and for each story a merchant with a database and a clock of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from tests.contract.conftest import Sandbox
from tests.integration.devices.conftest import mqtt_port
from tests.scenario.phones import Phones
from tests.scenario.story import OPENING, Shop, open_shop

from xinzu.app.demo.access import sandbox_environment
from xinzu.app.demo.world import World, open_world
from xinzu.app.modules import load_modules
from xinzu.app.sandbox.phone import PhoneFleet, phones_folder
from xinzu.app.sandbox.server import sandbox_folder
from xinzu.platform.db import APP_ROLE, OWNER_ROLE
from xinzu.platform.schema import migrate
from xinzu.platform.servers.home import secret
from xinzu.platform.servers.nats import EmbeddedNats
from xinzu.platform.servers.ports import free_port, record
from xinzu.platform.servers.roles import ensure_roles_and_database, plain_url
from xinzu.platform.settings import Settings

_numbers = count(1)


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Path:
    """The home of all stories. It shares the database roles' passwords with the other tests' home, because roles are the server's."""
    made = tmp_path_factory.mktemp("city")
    (made / "secrets").mkdir(mode=0o700)
    for role in (OWNER_ROLE, APP_ROLE):
        (made / "secrets" / role).write_text(secret(home, role))
    record(made, "api", free_port(0))
    return made


@pytest.fixture(scope="session")
def twins(city: Path) -> Iterator[dict[str, SecretStr]]:
    """Alipay, SMS, courier and identity register as one process; gives the settings that lead to them."""
    port = free_port(0)
    record(city, "sandbox", port)
    names = sandbox_environment(Settings(home=city), port)
    process = Sandbox(sandbox_folder(city), port)
    process.start()
    yield {name.removeprefix("XINZU_").lower(): SecretStr(value) for name, value in names.items()}
    process.stop()


@pytest.fixture(scope="session")
async def template(admin_url: str, city: Path) -> AsyncIterator[str]:
    """A migrated database that every story's own is copied from."""
    load_modules()
    name = f"xinzu_story_{os.getpid()}"
    urls = await ensure_roles_and_database(admin_url, city, name)
    await migrate(urls.owner.get_secret_value())
    yield name
    await _administer(admin_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def broker(city: Path) -> Iterator[EmbeddedNats]:
    """A real NATS with its MQTT listener."""
    with EmbeddedNats(city, client_port=0, mqtt_port=0, monitor_port=0) as server:
        yield server


@pytest.fixture
async def world(
    admin_url: str, city: Path, twins: dict[str, SecretStr], broker: EmbeddedNats, template: str
) -> AsyncIterator[World]:
    """The product in this process on an empty database, at the stories' first morning."""
    name = f"{template}_{next(_numbers)}"
    await _administer(admin_url, f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER_ROLE}")
    settings = Settings(home=city, database_url=SecretStr(admin_url), database_name=name).model_copy(update=twins)
    async with open_world(settings, OPENING) as made:
        yield made
    await _administer(admin_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def shop(world: World) -> AsyncIterator[Shop]:
    """A merchant on the first morning. However its story went, in the end everything must add up."""
    made = await open_shop(world, f"coral-{next(_numbers)}")
    yield made
    await made.everything_adds_up()


@pytest.fixture
async def phones(shop: Shop, broker: EmbeddedNats, city: Path) -> AsyncIterator[Phones]:
    """The phones of the shop, which log in at its gateway over MQTT."""
    made = Phones(shop, city, lambda: PhoneFleet(city, shop.world.clock, "127.0.0.1", lambda: mqtt_port(broker)))
    yield made
    await made.fleet.close()
    shutil.rmtree(phones_folder(city), ignore_errors=True)


async def _administer(admin_url: str, statement: str) -> None:
    connection = await asyncpg.connect(plain_url(admin_url))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
