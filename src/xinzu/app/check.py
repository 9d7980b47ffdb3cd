"""``xinzu check``: what would keep this installation from starting, before it is started."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
from asyncpg.exceptions import PostgresError

from xinzu.app.supervisor import read_state
from xinzu.platform.servers import ports
from xinzu.platform.servers.home import CannotStart, prepare_home, server_account, server_root
from xinzu.platform.servers.nats import EmbeddedNats
from xinzu.platform.servers.postgres import programs
from xinzu.platform.servers.roles import admin_url, plain_url
from xinzu.platform.settings import Settings

POSTGRES_VERSION_MIN = 180000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is well, and what was found or what to do."""

    what: str
    is_well: bool
    text: str


def findings(settings: Settings) -> Iterator[Finding]:
    """Look at the home, the servers' account and programs, external servers, ports. Creates folders, changes nothing."""
    yield _look("home", lambda: str(prepare_home(settings.home)))
    yield _look("account", lambda: account.name if (account := server_account(settings.server_account)) else "this user")
    if settings.database_url is None:
        yield _look("postgres", lambda: str(_programs(settings)))
    else:
        yield _look("postgres", lambda: asyncio.run(_server_version(settings)))
    if settings.nats_url is None:
        yield _look("nats", lambda: EmbeddedNats.of(settings).argv[0])
    else:
        url = settings.nats_url.get_secret_value()
        yield _look("nats", lambda: _reach(url))
    running = bool(read_state(settings.home).get("children"))
    for what, port, host in (
        ("http_port", settings.http_port, settings.http_host),
        ("mqtt_port", settings.mqtt_port, settings.mqtt_host),
    ):
        free = port != 0 and ports.is_free(port, host)
        yield Finding(
            what,
            True,
            f"{port} is free" if free else f"{port} is taken" + (" (Xinzu runs)" if running else "; the next free one is used"),
        )


def _programs(settings: Settings) -> str:
    account = server_account(settings.server_account)
    return str(programs(server_root(prepare_home(settings.home), account), account))


async def _server_version(settings: Settings) -> str:
    connection = await asyncpg.connect(plain_url(admin_url(settings)), timeout=5)
    try:
        number = int(await connection.fetchval("SHOW server_version_num"))
        able = await connection.fetchval(
            "SELECT rolsuper OR (rolcreaterole AND rolcreatedb) FROM pg_roles WHERE rolname = current_user"
        )
    finally:
        await connection.close()
    if number < POSTGRES_VERSION_MIN:
        raise CannotStart(f"XINZU_DATABASE_URL is PostgreSQL {number // 10000}; 18 or newer is needed")
    if not able:
        raise CannotStart("the account in XINZU_DATABASE_URL needs CREATEROLE and CREATEDB (or superuser)")
    return f"external, version {number // 10000}.{number % 10000}"


def _reach(url: str) -> str:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 4222), timeout=5):
        return f"external, {parts.hostname} answers"


def _look(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except (CannotStart, OSError, TimeoutError, PostgresError) as wrong:
        return Finding(what, False, str(wrong))
