"""A database of an earlier release, moved to this one and back."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from xinzu.platform.runtime import connect_raw
from xinzu.platform.schema import alembic_config, migrate
from xinzu.platform.servers.roles import ensure_roles_and_database, plain_url


@dataclass(frozen=True)
class Release:
    """The owner's connection to a database that began at a revision."""

    raw: asyncpg.Connection
    owner_url: str
    engine: AsyncEngine
    revision: str

    async def upgrade(self) -> None:
        """To this release."""
        await migrate(self.owner_url)

    async def downgrade(self) -> None:
        """Back to the revision it began at; nothing is changed when that is refused."""
        await self.move(command.downgrade)

    async def move(self, move: Callable[[Config, str], None]) -> None:
        def moved(connection: Connection) -> None:
            config = alembic_config()
            config.attributes["connection"] = connection
            move(config, self.revision)

        async with self.engine.connect() as connection:
            await connection.run_sync(moved)
            await connection.commit()


@asynccontextmanager
async def release(admin_url: str, home: Path, revision: str) -> AsyncIterator[Release]:
    """A database at a revision, gone at the end."""
    name = f"xinzu_at_{revision}_{os.getpid()}"
    urls = await ensure_roles_and_database(admin_url, home, name)
    owner_url = urls.owner.get_secret_value()
    engine = create_async_engine(owner_url)
    try:
        raw = await connect_raw(owner_url)
        try:
            old = Release(raw, owner_url, engine, revision)
            await old.move(command.upgrade)
            yield old
        finally:
            await raw.close()
    finally:
        await engine.dispose()
        admin = await asyncpg.connect(plain_url(admin_url))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
