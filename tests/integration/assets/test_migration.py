"""Things registered before there were books of them are taken into the books as if they had always been there."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from xinzu.platform.db import set_tenant
from xinzu.platform.runtime import connect_raw
from xinzu.platform.schema import alembic_config, migrate
from xinzu.platform.servers.roles import ensure_roles_and_database, plain_url

REGISTERED = f"""
{set_tenant(1)};
INSERT INTO assets_asset (tenant_id, id, serial, product_id, purchase_cost_fen, state, registered_at) VALUES
    (1, gen_random_uuid(), 'SN-1', gen_random_uuid(), 520000, 'rented', '2026-01-31 16:30+00'),
    (1, gen_random_uuid(), 'SN-2', gen_random_uuid(), 520000, 'retired', '2026-01-31 15:30+00');
"""


def _move(connection: Connection, move: Callable[[Config, str], None]) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    move(config, "0005")


async def test_what_was_registered_is_ready_since_then_and_what_was_retired_leaves(admin_url: str, home: Path) -> None:
    name = f"xinzu_old_assets_{os.getpid()}"
    urls = await ensure_roles_and_database(admin_url, home, name)
    owner = urls.owner.get_secret_value()
    engine = create_async_engine(owner)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_move, command.upgrade)
            await connection.commit()
        raw = await connect_raw(owner)
        await raw.execute(f"BEGIN; {REGISTERED} COMMIT")
        await migrate(owner)
        async with raw.transaction():
            await raw.execute(set_tenant(1))
            rows = await raw.fetch(
                "SELECT acquired_on, leaves_as, leaves_on IS NULL AS stays, is_booked FROM assets_asset ORDER BY serial"
            )
        assert [tuple(row) for row in rows] == [
            (date(2026, 2, 1), None, True, False),
            (date(2026, 1, 31), "scrapped", False, False),
        ]
        async with engine.connect() as connection:
            await connection.run_sync(_move, command.downgrade)
            await connection.commit()
        assert await raw.fetchval("SELECT to_regclass('assets_book')") is None
        await migrate(owner)
        await raw.close()
    finally:
        await engine.dispose()
        admin = await asyncpg.connect(plain_url(admin_url))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
