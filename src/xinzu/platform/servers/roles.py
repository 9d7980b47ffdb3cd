"""The two database roles and the database: who owns the tables, and who the application is.

``xinzu_owner`` owns the database and runs migrations; ``xinzu_app`` is what requests and jobs run as: no superuser, no
BYPASSRLS, so row level security binds it. Passwords are generated once and kept in ``home/secrets``; the server only ever sees
their SCRAM verifier, so a statement log of an external server cannot leak them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import SecretStr
from sqlalchemy import URL, make_url

from xinzu.platform.db import APP_ROLE, OWNER_ROLE
from xinzu.platform.servers.home import prepare_home, secret
from xinzu.platform.servers.postgres import embedded_admin_url
from xinzu.platform.settings import Settings

_SCRAM_ITERATIONS = 4096


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """The three ways in, as SQLAlchemy urls: ``owner`` migrates, ``app`` serves, ``admin`` creates roles and databases."""

    owner: SecretStr
    app: SecretStr
    admin: SecretStr


def driver_url(url: str) -> str:
    """Any PostgreSQL url in the form SQLAlchemy needs for asyncpg (``postgresql+asyncpg://``)."""
    return make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def plain_url(url: str) -> str:
    """The same url for asyncpg itself and for tools (``postgresql://``)."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def admin_url(settings: Settings) -> str:
    """The administrator's url: ``XINZU_DATABASE_URL``, else the embedded superuser's. Raises CannotStart when that never ran."""
    if settings.database_url is not None:
        return driver_url(settings.database_url.get_secret_value())
    return embedded_admin_url(settings.home)


def database_urls(settings: Settings) -> DatabaseUrls:
    """The urls of this home's database, without touching the server: for a process that runs alone after ``xinzu migrate``."""
    return _urls(admin_url(settings), prepare_home(settings.home), settings.database_name)


async def ensure_roles_and_database(admin_url: str, home: Path, dbname: str = "xinzu") -> DatabaseUrls:
    """Create what is missing, set what differs, and answer the urls. Can be run at every start.

    ``admin_url`` is a superuser, or an account with CREATEROLE and CREATEDB. Raises asyncpg's errors when it may not.
    Roles belong to the whole server: two homes sharing one external server would set each other's passwords; share the home too.
    """
    urls = _urls(driver_url(admin_url), prepare_home(home), dbname)
    connection = await asyncpg.connect(plain_url(admin_url))
    try:
        # two processes of one home may start together
        await connection.execute("SELECT pg_advisory_lock(hashtext('xinzu.roles'))")
        for role, url in ((OWNER_ROLE, urls.owner), (APP_ROLE, urls.app)):
            await _ensure_role(connection, role, url)
        # The owner's function ledger_post_many checks references in sets and leaves the per-row checks out (ADR 0009). Only a superuser
        # can allow that; without it the function works the same and is slower.
        if not await connection.fetchval("SELECT has_parameter_privilege($1, 'session_replication_role', 'SET')", OWNER_ROLE):
            with suppress(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"GRANT SET ON PARAMETER session_replication_role TO {OWNER_ROLE}")
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", dbname):
            if not await connection.fetchval("SELECT pg_has_role(current_user, $1, 'SET')", OWNER_ROLE):
                await connection.execute(f"GRANT {OWNER_ROLE} TO CURRENT_USER")  # or it could not give the database away
            await connection.execute(
                f"CREATE DATABASE {_identifier(dbname)} OWNER {OWNER_ROLE} TEMPLATE template0 ENCODING 'UTF8' "
                "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
            )
        if await connection.fetchval("SELECT has_database_privilege('public', $1, 'CONNECT')", dbname):
            await connection.execute(f"REVOKE ALL ON DATABASE {_identifier(dbname)} FROM PUBLIC")
        if not await connection.fetchval("SELECT has_database_privilege($1::name, $2, 'CONNECT')", APP_ROLE, dbname):
            await connection.execute(f"GRANT CONNECT ON DATABASE {_identifier(dbname)} TO {APP_ROLE}")
    finally:
        await connection.close()
    return urls


async def _ensure_role(connection: asyncpg.Connection, role: str, url: SecretStr) -> None:
    """The role exists, can log in with our password, and has no right it must not have."""
    flags = await connection.fetchrow("SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = $1", role)
    password = make_url(url.get_secret_value()).password or ""
    if flags is None:
        await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{scram_verifier(password)}'")
        return
    if flags["rolsuper"] or flags["rolbypassrls"]:
        await connection.execute(f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS")
    if not flags["rolcanlogin"] or not await _can_log_in(url):
        await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{scram_verifier(password)}'")


async def _can_log_in(url: SecretStr) -> bool:
    try:
        connection = await asyncpg.connect(plain_url(url.get_secret_value()))
    except asyncpg.InvalidPasswordError:
        return False
    except (asyncpg.InvalidCatalogNameError, asyncpg.InsufficientPrivilegeError):
        return True  # the password was accepted; the database or its grant comes next
    await connection.close()
    return True


def _urls(admin: str, home: Path, dbname: str) -> DatabaseUrls:
    base: URL = make_url(admin).set(database=dbname)

    def of(role: str) -> SecretStr:
        return SecretStr(base.set(username=role, password=secret(home, role)).render_as_string(hide_password=False))

    return DatabaseUrls(owner=of(OWNER_ROLE), app=of(APP_ROLE), admin=SecretStr(admin))


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def scram_verifier(password: str) -> str:
    """What PostgreSQL stores for a password (RFC 5803, SCRAM-SHA-256, fresh salt). ASCII passwords only: no SASLprep here."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, server_text = (base64.b64encode(part).decode("ascii") for part in (salt, stored, server))
    return f"SCRAM-SHA-256${_SCRAM_ITERATIONS}:{salt_text}${stored_text}:{server_text}"
