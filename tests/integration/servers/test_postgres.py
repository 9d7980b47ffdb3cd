"""The embedded PostgreSQL: first start, crash, port conflict, account, roles. Real servers, each in a home of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from asyncpg.exceptions import PostgresError

from xinzu.platform.servers import ports
from xinzu.platform.servers.home import CannotStart
from xinzu.platform.servers.postgres import EmbeddedPostgres, embedded_admin_url
from xinzu.platform.servers.process import wait_until
from xinzu.platform.servers.roles import ensure_roles_and_database, plain_url

is_root = os.name == "posix" and os.geteuid() == 0


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home whose first start was paid for once; durable settings, as in production."""
    folder = Path(tempfile.mkdtemp(prefix="xinzu-"))
    yield folder / "home"
    shutil.rmtree(folder)


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    home.parent.chmod(0o711)
    server = EmbeddedPostgres(home, port=0, shared_buffers_mb=32)
    with server:
        yield server


async def execute(server: EmbeddedPostgres, *statements: str) -> object:
    """Run statements as the superuser over the socket; the first value of the last one."""
    connection = await asyncpg.connect(plain_url(server.admin_url))
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


async def test_first_start_makes_a_utf8_cluster_that_listens_on_loopback_and_socket(server: EmbeddedPostgres) -> None:
    locale = await execute(
        server, "SELECT datlocprovider::text || ' ' || datlocale || ' ' || pg_encoding_to_char(encoding) FROM pg_database"
    )
    assert locale == "b C.UTF-8 UTF8"
    assert await execute(server, "SHOW data_checksums") == "on"
    url = server.connection_url("postgres", "wrong", "postgres", socket=False)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(plain_url(url))
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(plain_url(server.connection_url("postgres", "wrong", "postgres")))


async def test_second_start_finds_the_data(home: Path, server: EmbeddedPostgres) -> None:
    await execute(server, "CREATE TABLE kept AS SELECT 7 AS n", "SELECT 1")
    server.stop()
    assert not server.pid
    with EmbeddedPostgres(home, port=0) as again:
        assert embedded_admin_url(home) == again.admin_url
        assert await execute(again, "SELECT n FROM kept") == 7


async def test_committed_work_survives_kill_9_while_a_backend_is_busy(server: EmbeddedPostgres) -> None:
    await execute(server, "CREATE TABLE paid (n int)", "SELECT 1")
    busy = await asyncpg.connect(plain_url(server.admin_url))
    backend = await busy.fetchval("SELECT pg_backend_pid()")
    endless = busy.fetchval("DO $$ BEGIN LOOP NULL; END LOOP; END $$")
    try:
        running = asyncio.ensure_future(endless)
        await execute(server, "INSERT INTO paid SELECT generate_series(1, 1000)", "SELECT 1")
        postmaster = server.pid
        os.kill(postmaster, signal.SIGKILL)
        wait_until(lambda: not psutil.pid_exists(postmaster) or psutil.Process(postmaster).status() == psutil.STATUS_ZOMBIE, 5)
        server.start()
        assert server.pid != postmaster
        assert await execute(server, "SELECT count(*) FROM paid") == 1000
        assert not psutil.pid_exists(backend) or psutil.Process(backend).status() == psutil.STATUS_ZOMBIE
    finally:
        with pytest.raises((PostgresError, OSError)):
            await running


async def test_a_taken_port_gives_way_to_a_free_one_and_is_recorded(home: Path, server: EmbeddedPostgres) -> None:
    server.stop()
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        ports.record(home, "postgres", taken)
        with EmbeddedPostgres(home, port=taken) as moved:
            chosen = ports.recorded(home, "postgres")
            assert chosen is not None
            assert chosen != taken
            assert await execute(moved, "SELECT current_setting('port')::int") == chosen


def test_two_owners_of_one_home_get_a_sentence(home: Path, server: EmbeddedPostgres) -> None:
    with pytest.raises(CannotStart, match="already running with the home"):
        EmbeddedPostgres(home).start()
    assert psutil.pid_exists(server.pid)


def test_a_pid_file_that_names_a_stranger_does_not_keep_the_server_from_starting(home: Path, server: EmbeddedPostgres) -> None:
    server.stop()
    stale = server.data_folder / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{server.data_folder}\n1\n5432\n\n127.0.0.1\n1 1\nready\n", encoding="utf-8")
    with EmbeddedPostgres(home, port=0) as again:
        assert again.pid


@pytest.mark.skipif(not is_root, reason="the account is changed by root only")
def test_root_runs_it_under_an_unprivileged_account(server: EmbeddedPostgres) -> None:
    assert psutil.Process(server.pid).uids().effective == server.data_folder.stat().st_uid != 0
    secrets = server.home / "secrets"
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in secrets.iterdir())


@pytest.mark.skipif(not is_root, reason="the account is changed by root only")
def test_a_home_the_account_cannot_reach_keeps_its_data_outside_and_leaves_the_folders_above_alone() -> None:
    closed = Path(tempfile.mkdtemp(prefix="xinzu-closed-"))
    server = EmbeddedPostgres(closed / "home", port=0, durable=False)
    try:
        with server:
            assert closed not in server.data_folder.parents
        assert closed.stat().st_mode & 0o777 == 0o700
        assert EmbeddedPostgres(closed / "home").data_folder == server.data_folder
    finally:
        shutil.rmtree(closed)
        shutil.rmtree(server.root)


async def test_roles_are_made_once_and_repaired(server: EmbeddedPostgres) -> None:
    urls = await ensure_roles_and_database(server.admin_url, server.home)
    await execute(server, "ALTER ROLE xinzu_app SUPERUSER BYPASSRLS PASSWORD 'somebody changed it'", "SELECT 1")
    again = await ensure_roles_and_database(server.admin_url, server.home)
    assert again == urls
    app = await asyncpg.connect(plain_url(again.app.get_secret_value()))
    try:
        role = await app.fetchrow("SELECT rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user")
        assert tuple(role) == (False, False, False)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("CREATE TABLE mine (n int)")
    finally:
        await app.close()
    owner = await asyncpg.connect(plain_url(again.owner.get_secret_value()))
    try:
        await owner.execute("CREATE TABLE mine (n int)")
    finally:
        await owner.close()


async def test_an_administrator_without_superuser_can_prepare_an_external_server(server: EmbeddedPostgres) -> None:
    await execute(
        server,
        "DROP DATABASE IF EXISTS xinzu",
        # Another test's superuser may have given the owner the right of ADR 0009, which this administrator has not.
        "DO $$ BEGIN IF to_regrole('xinzu_owner') IS NOT NULL THEN DROP OWNED BY xinzu_owner; END IF; END $$",
        "DROP ROLE IF EXISTS xinzu_owner",
        "DROP ROLE IF EXISTS xinzu_app",
        "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'dba'",
        "SELECT 1",
    )
    outside = server.connection_url("dba", "dba", "postgres", socket=False)
    for _ in range(2):
        urls = await ensure_roles_and_database(outside, server.home)
    owner = await asyncpg.connect(plain_url(urls.owner.get_secret_value()))
    assert await owner.fetchval("SELECT current_user || '@' || current_database()") == "xinzu_owner@xinzu"
    await owner.close()
