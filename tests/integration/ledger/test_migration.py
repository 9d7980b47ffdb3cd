"""Books of the first release go on under the second one, and back."""

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

BOOKED = f"""
{set_tenant(1)};
INSERT INTO ledger_account VALUES (1, '1122', '应收', 'Receivables', 'asset', 'debit'), (1, '6001', '收入', 'Income', 'income', 'credit');
INSERT INTO ledger_book (tenant_id, last_entry_no) VALUES (1, 1);
INSERT INTO ledger_entry (tenant_id, id, entry_no, business_date, kind, source_id, memo, recorded_at)
    SELECT 1, id, 1, '2026-02-10', 'test.sale', id, '', now() FROM gen_random_uuid() AS id;
INSERT INTO ledger_posting SELECT 1, id, 1, '1122', '6001', 100, id FROM ledger_entry;
"""


def _move(connection: Connection, move: Callable[[Config, str], None]) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    move(config, "0001")


async def test_an_entry_of_the_first_release_takes_effect_on_its_business_date(admin_url: str, home: Path) -> None:
    name = f"xinzu_old_{os.getpid()}"
    urls = await ensure_roles_and_database(admin_url, home, name)
    owner = urls.owner.get_secret_value()
    engine = create_async_engine(owner)

    try:
        async with engine.connect() as connection:
            await connection.run_sync(_move, command.upgrade)
            await connection.commit()
        raw = await connect_raw(owner)
        await raw.execute(f"BEGIN; {BOOKED} COMMIT")
        await migrate(owner)
        async with raw.transaction():
            await raw.execute(set_tenant(1))
            row = await raw.fetchrow(
                "SELECT business_date, effective_on, closed_through FROM ledger_entry CROSS JOIN ledger_book"
            )
        assert tuple(row) == (date(2026, 2, 10), None, None)
        async with engine.connect() as connection:
            await connection.run_sync(_move, command.downgrade)
            await connection.commit()
        assert await raw.fetchval("SELECT to_regclass('ledger_closure')") is None
        await migrate(owner)
        await raw.close()
    finally:
        await engine.dispose()
        admin = await asyncpg.connect(plain_url(admin_url))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
