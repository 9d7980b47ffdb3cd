"""Creating and upgrading the schema: Alembic's one linear history, run by the owner role; then row security and the job queue."""

from __future__ import annotations

from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from xinzu.platform.db import APP_ROLE, apply_row_security
from xinzu.platform.runtime import connect_raw

LOCK_TIMEOUT_MS = 5_000
_SCRIPTS = Path(__file__).parent / "migrations"


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


async def migrate(owner_url: str) -> None:
    """Bring the schema to the newest revision. Safe to run at every start; processes that start together wait for one another."""
    engine = create_async_engine(owner_url)
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('xinzu.migrate'))")
            await connection.commit()
            await connection.exec_driver_sql(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
            await connection.run_sync(_upgrade)
            await connection.commit()
        await _install_queue(owner_url)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    apply_row_security(connection)


async def _install_queue(owner_url: str) -> None:
    """pgqueuer's own tables (no tenant data but ids), for the app role to use."""
    connection: asyncpg.Connection = await connect_raw(owner_url)
    try:
        queries = Queries(AsyncpgDriver(connection))
        if not await queries.schema_is_installed():
            await queries.install()
        else:
            await queries.upgrade()
        await connection.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON pgqueuer, pgqueuer_log, pgqueuer_statistics, pgqueuer_schedules TO {APP_ROLE};"
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE};"
            f"GRANT SELECT, INSERT ON platform_tenant TO {APP_ROLE};"
            f"GRANT SELECT, INSERT, UPDATE ON platform_business_clock TO {APP_ROLE};"
            f"GRANT USAGE ON SCHEMA public TO {APP_ROLE};"
        )
    finally:
        await connection.close()
