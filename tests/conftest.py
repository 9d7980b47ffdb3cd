"""A real PostgreSQL per test process, one database made from a migrated template, a fresh tenant per test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import asyncpg
import httpx
import hypothesis
import pytest
from sqlalchemy import text

from xinzu.app.modules import load_modules, routes
from xinzu.kernel.time import FixedClock
from xinzu.platform.actor import Actor, system_actor
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.http.app import attached, create_app
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.schema import migrate
from xinzu.platform.servers.postgres import EmbeddedPostgres, temporary_postgres
from xinzu.platform.servers.roles import DatabaseUrls, ensure_roles_and_database, plain_url
from xinzu.platform.settings import Settings
from xinzu.platform.tenants import create_tenant, issue_api_key

if TYPE_CHECKING:
    from tests.world import Filled

# How long a case takes says how busy the machine is.
hypothesis.settings.register_profile("xinzu", deadline=None)
hypothesis.settings.load_profile("xinzu")

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in Shanghai
_numbers = count(1)


EXTERNAL_URL = os.environ.get("XINZU_DATABASE_URL")


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A real server for this test process."""
    with temporary_postgres() as server:
        yield server


@pytest.fixture(scope="session", params=["embedded", *(["external"] if EXTERNAL_URL else [])])
def admin_url(request: pytest.FixtureRequest) -> str:
    """The embedded server, and the one XINZU_DATABASE_URL names when it is set: then every test of the database runs on both."""
    if request.param == "external":
        return str(EXTERNAL_URL)
    server: EmbeddedPostgres = request.getfixturevalue("postgres")
    return server.admin_url


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
async def database_urls(admin_url: str, home: Path) -> AsyncIterator[DatabaseUrls]:
    """A migrated database of this test process, dropped at the end."""
    load_modules()
    name = f"xinzu_test_{os.getpid()}"
    urls = await ensure_roles_and_database(admin_url, home, name)
    await migrate(urls.owner.get_secret_value())
    yield urls
    connection = await asyncpg.connect(plain_url(admin_url))
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture(scope="session")
def settings(home: Path) -> Settings:
    return Settings(home=home, database_url=None)


@pytest.fixture
def clock() -> FixedClock:
    """Business time stands at Monday 2 March 2026, 09:00 in Shanghai, until the test moves it."""
    return FixedClock(START)


@pytest.fixture
async def runtime(database_urls: DatabaseUrls, settings: Settings, home: Path, clock: FixedClock) -> AsyncIterator[Runtime]:
    """A runtime over the migrated database with a clock that the test moves."""
    made = Runtime(
        settings,
        Database(database_urls.app.get_secret_value(), pool_size=5),
        FileKeyring.open_or_create(home / "keyring.json"),
        Outbound(),
        clock,
    )
    yield made
    await made.close()


@pytest.fixture
async def tenant_id(runtime: Runtime) -> int:
    """A tenant of this test's own."""
    return await create_tenant(runtime, f"shop-{next(_numbers)}", "珊瑚数码租赁")


@pytest.fixture
async def other_tenant_id(runtime: Runtime) -> int:
    """Somebody else's tenant."""
    return await create_tenant(runtime, f"rival-{next(_numbers)}", "隔壁租赁")


@pytest.fixture
async def api(runtime: Runtime, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The real ASGI application over the test's runtime; ask ``api_key`` for credentials."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Runtime]:
        yield runtime

    app = create_app(settings, routes(), opened)
    async with (
        attached(app, runtime),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=cast(Any, app), raise_app_exceptions=False), base_url="http://xinzu.test"
        ) as client,
    ):
        yield client


@pytest.fixture
async def api_key(runtime: Runtime, tenant_id: int, actor: Actor) -> dict[str, str]:
    """The headers of the tenant owner's API key."""
    return await key_headers(runtime, tenant_id, "owner")


@pytest.fixture
async def other_api_key(runtime: Runtime, other_tenant_id: int) -> dict[str, str]:
    """The headers of somebody else's key."""
    return await key_headers(runtime, other_tenant_id, "owner")


async def key_headers(runtime: Runtime, tenant_id: int, role: str) -> dict[str, str]:
    """Headers of a fresh API key with one role."""
    async with runtime.database.engine.connect() as connection:
        slug = (await connection.execute(text("SELECT slug FROM platform_tenant WHERE id = :id"), {"id": tenant_id})).scalar()
    async with runtime.unit(tenant_id, system_actor("test")) as uow:
        issued = await issue_api_key(uow, str(slug), "test", [role])
    return {"Authorization": f"Bearer {issued.secret}"}


@pytest.fixture
def actor() -> Actor:
    return system_actor("test")


@pytest.fixture(scope="session")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Filled]:
    """Two merchants and rentals of every kind on servers of their own; see ``tests/world.py``. Takes some ten seconds."""
    from tests.world import filled_world

    async with filled_world(tmp_path_factory.mktemp("world")) as made:
        yield made
