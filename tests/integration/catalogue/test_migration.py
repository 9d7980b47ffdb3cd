"""Plans and accounts of before there were rental products are plain ones, and those products do not get lost on the way back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from xinzu.platform.db import set_tenant
from xinzu.platform.runtime import connect_raw
from xinzu.platform.schema import alembic_config, migrate
from xinzu.platform.servers.roles import ensure_roles_and_database, plain_url

PLAN = f"""
{set_tenant(1)};
INSERT INTO catalogue_product (tenant_id, id, name, category, created_at)
    VALUES (1, '00000000-0000-0000-0000-000000000001', '手机', 'phone', now());
INSERT INTO catalogue_plan (tenant_id, id, product_id, period_months, period_count, rent_fen, deposit_fen, device_value_fen,
    residual_value_fen, early_return_fee_fen, late_fee_daily_rate, grace_days, restriction_clause_version, state, version, created_at)
    VALUES (1, '00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 1, 12, 39900, 0, 599900, 170000, 0, 0, 0,
        'restriction-2026-01', 'draft', 1, now());
"""


def _move(connection: Connection, move: Callable[[Config, str], None]) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    move(config, "0007")


async def test_what_was_offered_before_is_a_plain_rental(admin_url: str, home: Path) -> None:
    name = f"xinzu_old_plans_{os.getpid()}"
    urls = await ensure_roles_and_database(admin_url, home, name)
    owner = urls.owner.get_secret_value()
    engine = create_async_engine(owner)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_move, command.upgrade)
            await connection.commit()
        raw = await connect_raw(owner)
        await raw.execute(f"BEGIN; {PLAN} COMMIT")
        await migrate(owner)
        async with raw.transaction():
            await raw.execute(set_tenant(1))
            row = await raw.fetchrow("SELECT first_rents, ends_in, due_shift, buyout_prices_fen FROM catalogue_plan")
            assert row is not None
            assert tuple(row) == (1, "return", "none", None)
            await raw.execute("UPDATE catalogue_plan SET first_rents = 3")
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError, match="plain"):
                await connection.run_sync(_move, command.downgrade)
            await connection.rollback()
        async with raw.transaction():
            await raw.execute(set_tenant(1))
            await raw.execute("UPDATE catalogue_plan SET first_rents = 1")
        async with engine.connect() as connection:
            await connection.run_sync(_move, command.downgrade)
            await connection.commit()
        await migrate(owner)
        await raw.close()
    finally:
        await engine.dispose()
        admin = await asyncpg.connect(plain_url(admin_url))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
