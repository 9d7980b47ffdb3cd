"""``xinzu migrate``: roles, database and schema brought to the newest state. Safe to run at every start."""

from __future__ import annotations

import asyncio

from xinzu.app.modules import load_tables
from xinzu.platform.schema import migrate
from xinzu.platform.servers.roles import admin_url, ensure_roles_and_database
from xinzu.platform.settings import Settings


def run(settings: Settings) -> None:
    """Create what is missing in the configured server, embedded (it must be running) or external."""
    load_tables()
    asyncio.run(_migrate(settings))


async def _migrate(settings: Settings) -> None:
    urls = await ensure_roles_and_database(admin_url(settings), settings.home, settings.database_name)
    await migrate(urls.owner.get_secret_value())
