"""What a process of the product holds: settings, database, clock, keys and the way out to providers."""

from __future__ import annotations

import asyncio
import time as monotonic
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import asyncpg
from asyncpg.transaction import Transaction
from sqlalchemy.engine import make_url
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xinzu.kernel.errors import NotFound, Unavailable
from xinzu.kernel.time import BusinessCalendar, Clock, SystemClock
from xinzu.platform.actor import Actor
from xinzu.platform.crypto.kms import Kms
from xinzu.platform.crypto.vault import TenantVault, WrappedKeys, load_vault
from xinzu.platform.db import (
    DATABASE_TROUBLE,
    NO_SETTINGS,
    Row,
    TenantConnection,
    begin,
    create_engine,
    driver_of,
    is_connection_loss,
    statement,
)
from xinzu.platform.uow import ReadSession, UnitOfWork

if TYPE_CHECKING:
    from xinzu.platform.outbound import Outbound
    from xinzu.platform.settings import Settings

TENANT_CACHE_SECONDS = 30
BLIND_KEY_NUMBER = 0
CONNECT_ATTEMPTS = 2
GIVE_WAY_SECONDS_MAX = 2.0


def _away() -> Unavailable:
    return Unavailable("数据库暂时不可用，请稍后重试", "The database is not reachable just now: try again", retry_after_s=2)


class Database:
    """The app role's engine, and plain asyncpg connections for listening and queueing."""

    def __init__(self, app_url: str, *, pool_size: int = 10, server_settings: Mapping[str, str] = NO_SETTINGS) -> None:
        self.url = app_url
        self.engine: AsyncEngine = create_engine(app_url, pool_size=pool_size, server_settings=server_settings)

    @asynccontextmanager
    async def raw_connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A dedicated asyncpg connection outside the pool (LISTEN holds it for long)."""
        connection = await connect_raw(self.url)
        try:
            yield connection
        finally:
            await connection.close()

    async def dispose(self) -> None:
        await self.engine.dispose()


async def connect_raw(url: str) -> asyncpg.Connection:
    """An asyncpg connection from a SQLAlchemy URL."""
    parts = make_url(url)
    host = parts.query.get("host") or parts.host
    connection: asyncpg.Connection = await asyncpg.connect(
        user=parts.username,
        password=parts.password,
        database=parts.database,
        host=host,
        port=parts.port or int(str(parts.query.get("port", 5432))),
        server_settings={"application_name": "xinzu", "timezone": "UTC"},
    )
    return connection


@dataclass(frozen=True, slots=True)
class TenantContext:
    """What every transaction of a tenant needs and what rarely changes: its calendar and its keys."""

    calendar: BusinessCalendar
    vault: TenantVault
    read_at: float


class Runtime:
    """Opens transactions. One per process; passed explicitly to the edges (HTTP, relay, jobs, command line)."""

    def __init__(self, settings: Settings, database: Database, kms: Kms, outbound: Outbound, clock: Clock | None = None) -> None:
        self.settings = settings
        self.database = database
        self.kms = kms
        self.outbound = outbound
        self.clock: Clock = clock or SystemClock()
        # What this process has stirred: the subscribers it wrote deliveries for, by tenant, and whether it asked for jobs.
        # Lets whoever drives time look only where something is due.
        self.stirred: dict[int, set[str]] = defaultdict(set)
        self.jobs_asked = False
        self._first: int = 0
        self._nobody_first = asyncio.Event()
        self._nobody_first.set()
        self._tenants: dict[int, TenantContext] = {}
        self._numbers: dict[str, int] = {}
        self._loading = asyncio.Lock()

    async def tenant_ids(self) -> Sequence[int]:
        """All tenants, in order of creation. Raises Unavailable when the database cannot be reached."""
        return [row.id for row in await self._installation_rows("SELECT id FROM platform_tenant ORDER BY id")]

    async def tenant_id_of(self, slug: str) -> int:
        """The number of a tenant by its short name, which it keeps for ever; raises NotFound, and Unavailable when the database cannot be
        reached."""
        known = self._numbers.get(slug)
        if known is None:
            found = await self._installation_rows("SELECT id FROM platform_tenant WHERE slug = :slug", slug=slug)
            if not found:
                raise NotFound(f"没有名为 {slug} 的租户", f"There is no tenant called {slug}")
            known = self._numbers[slug] = int(found[0].id)
        return known

    async def _installation_rows(self, query: str, **parameters: object) -> Sequence[Row]:
        """Rows that belong to no tenant, asked for again once for the reason ``_begin`` gives."""
        sql, names = statement(query)
        trouble: BaseException | None = None
        for _ in range(CONNECT_ATTEMPTS):
            try:
                async with self.database.engine.connect() as pooled:
                    driver = await driver_of(pooled)
                    rows: Sequence[Row] = await driver.fetch(sql, *(parameters[name] for name in names))
                    return rows
            except DATABASE_TROUBLE as error:
                if not isinstance(error, PoolTimeout) and not is_connection_loss(error):
                    raise
                trouble = error
        raise _away() from trouble

    @asynccontextmanager
    async def unit(self, tenant_id: int, actor: Actor) -> AsyncIterator[UnitOfWork]:
        """A transaction that commits when the block ends well and rolls back when it raises.

        Raises Unavailable when the database cannot be reached.
        """
        context = await self._context(tenant_id)
        async with self._transaction(tenant_id) as (connection, transaction):
            uow = UnitOfWork(connection, tenant_id, self.clock, context.calendar, context.vault, actor)
            yield uow
            await uow.finish()
            await transaction.commit()
            if uow.heard_by:
                self.stirred[tenant_id] |= uow.heard_by
            self.jobs_asked |= bool(uow.jobs)

    @asynccontextmanager
    async def reading(self, tenant_id: int) -> AsyncIterator[ReadSession]:
        """A transaction for queries; whatever it did is rolled back. Raises Unavailable when the database cannot be reached."""
        context = await self._context(tenant_id)
        async with self._transaction(tenant_id) as (connection, _):
            yield ReadSession(connection, tenant_id, self.clock, context.calendar, context.vault)

    @asynccontextmanager
    async def _transaction(self, tenant_id: int) -> AsyncIterator[tuple[TenantConnection, Transaction]]:
        """A transaction bound to the tenant; what is not committed is rolled back at the end."""
        pooled, driver, transaction = await self._begin(tenant_id)
        try:
            yield driver, transaction
        except BaseException as error:
            if is_connection_loss(error):
                # The pool then finds it closed, whatever it still believes of itself.
                driver.terminate()  # type: ignore[no-untyped-call]
            raise
        finally:
            try:
                if not driver.is_closed() and driver.is_in_transaction():  # type: ignore[no-untyped-call]
                    await transaction.rollback()
            finally:
                await pooled.close()

    async def _begin(self, tenant_id: int) -> tuple[AsyncConnection, TenantConnection, Transaction]:
        """After PostgreSQL was restarted the pool still holds dead connections. SQLAlchemy then drops the whole pool, and since nothing
        has been written it is safe to ask again.
        """
        trouble: BaseException | None = None
        for _ in range(CONNECT_ATTEMPTS):
            try:
                pooled = await self.database.engine.connect()
            except DATABASE_TROUBLE as error:
                trouble = error
                continue
            try:
                return pooled, *(await begin(pooled, tenant_id))
            except BaseException as error:
                await pooled.close()
                if not isinstance(error, DATABASE_TROUBLE):
                    raise
                trouble = error
        raise _away() from trouble

    @contextmanager
    def going_first(self) -> Iterator[None]:
        """While the block runs, whoever calls ``give_way`` in this process waits: events are handed over before documents."""
        self._first += 1
        self._nobody_first.clear()
        try:
            yield
        finally:
            self._first -= 1
            if not self._first:
                self._nobody_first.set()

    async def give_way(self) -> None:
        """For long work that can wait, between its steps: let what goes first finish, for two seconds at most."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._nobody_first.wait(), GIVE_WAY_SECONDS_MAX)

    async def _context(self, tenant_id: int) -> TenantContext:
        known = self._tenants.get(tenant_id)
        if known is not None and monotonic.monotonic() - known.read_at < TENANT_CACHE_SECONDS:
            return known
        async with self._loading:
            known = self._tenants.get(tenant_id)
            if known is not None and monotonic.monotonic() - known.read_at < TENANT_CACHE_SECONDS:
                return known
            loaded = self._tenants[tenant_id] = await self._load(tenant_id)
            return loaded

    async def _load(self, tenant_id: int) -> TenantContext:
        async with self._transaction(tenant_id) as (connection, _):
            found = await connection.fetch("SELECT zone, cut_off FROM platform_tenant WHERE id = $1", tenant_id)
            if not found:
                raise NotFound("租户不存在", "There is no such tenant")
            keys = await connection.fetch("SELECT number, wrapped_key FROM platform_tenant_key WHERE tenant_id = $1", tenant_id)
        by_number = {key.number: bytes(key.wrapped_key) for key in keys}
        wrapped = WrappedKeys({n: key for n, key in by_number.items() if n != BLIND_KEY_NUMBER}, by_number[BLIND_KEY_NUMBER])
        calendar = BusinessCalendar(ZoneInfo(found[0].zone), found[0].cut_off)
        return TenantContext(calendar, load_vault(self.kms, tenant_id, wrapped), monotonic.monotonic())

    async def close(self) -> None:
        await self.outbound.aclose()
        await self.database.dispose()
