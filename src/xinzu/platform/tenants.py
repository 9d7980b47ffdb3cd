"""Tenants and their credentials: created by the command line and the demo, checked by HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from uuid import UUID

from sqlalchemy import text

from xinzu.kernel.errors import Conflict, Invalid, Unauthenticated
from xinzu.kernel.ids import new_id
from xinzu.kernel.time import Instant
from xinzu.platform.actor import ROLES, Actor, ActorKind, permissions_of, system_actor
from xinzu.platform.crypto.passwords import (
    fingerprint_of,
    hash_password,
    new_api_key,
    new_session_token,
    verify_password,
)
from xinzu.platform.crypto.vault import new_tenant_keys
from xinzu.platform.db import set_tenant
from xinzu.platform.runtime import BLIND_KEY_NUMBER, Runtime
from xinzu.platform.uow import ReadSession, UnitOfWork

SESSION_LIFETIME = timedelta(hours=12)


@cache
def _nobody() -> str:
    """Checked against when a login does not exist, so that a missing login takes as long as a wrong password."""
    return hash_password("no such operator")


class TenantExists(Conflict):
    code = "tenant.exists"
    title_zh = "租户已存在"
    title_en = "There is a tenant of this name already"


class WrongLogin(Unauthenticated):
    code = "session.wrong_login"
    title_zh = "登录名或密码不正确"
    title_en = "Wrong login or password"


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """An API key just made. The secret is shown once and kept nowhere."""

    id: UUID
    secret: str


async def create_tenant(runtime: Runtime, slug: str, name: str) -> int:
    """Open a tenant with fresh keys and return its number; raises TenantExists. ``name`` is the merchant's, not a person's."""
    async with runtime.database.engine.begin() as connection:
        created = await connection.execute(
            text(
                "INSERT INTO platform_tenant (slug, name, created_at) VALUES (:slug, :name, :now)"
                " ON CONFLICT (slug) DO NOTHING RETURNING id"
            ),
            {"slug": slug, "name": name, "now": runtime.clock.now()},
        )
        tenant_id = created.scalar()
        if tenant_id is None:
            raise TenantExists(f"租户 {slug} 已存在", f"There is a tenant called {slug} already")
        await connection.exec_driver_sql(set_tenant(tenant_id))
        keys = new_tenant_keys(runtime.kms, tenant_id)
        wrapped = {BLIND_KEY_NUMBER: keys.blind_key, **keys.data_keys}
        await connection.execute(
            text(
                "INSERT INTO platform_tenant_key (tenant_id, number, wrapped_key, created_at)"
                " VALUES (:tenant, :number, :key, :now)"
            ),
            [{"tenant": tenant_id, "number": number, "key": key, "now": runtime.clock.now()} for number, key in wrapped.items()],
        )
    return int(tenant_id)


def _known_roles(roles: Sequence[str]) -> list[str]:
    for role in roles:
        if role not in ROLES:
            listed = ", ".join(ROLES)
            raise Invalid.field(
                "/roles", "tenant.unknown_role", f"没有角色 {role}，可用：{listed}", f"No role {role}: use {listed}"
            )
    return list(roles)


async def create_operator(uow: UnitOfWork, login: str, password: str, roles: Sequence[str]) -> UUID:
    """An operator's login. The password is kept as an argon2 hash."""
    operator_id = new_id()
    await uow.execute(
        "INSERT INTO platform_operator (tenant_id, id, login, password_hash, roles, created_at)"
        " VALUES (:tenant, :id, :login, :hash, cast(:roles AS text[]), :now)",
        id=operator_id,
        login=login,
        hash=hash_password(password),
        roles=_known_roles(roles),
        now=uow.now,
    )
    return operator_id


async def issue_api_key(uow: UnitOfWork, slug: str, name: str, roles: Sequence[str]) -> IssuedKey:
    """A key for a channel's server. Only its fingerprint is stored."""
    secret = new_api_key(slug)
    key_id = new_id()
    await uow.execute(
        "INSERT INTO platform_api_key (tenant_id, id, name, fingerprint, roles, created_at)"
        " VALUES (:tenant, :id, :name, :fingerprint, cast(:roles AS text[]), :now)",
        id=key_id,
        name=name,
        fingerprint=secret.fingerprint,
        roles=_known_roles(roles),
        now=uow.now,
    )
    return IssuedKey(key_id, secret.text)


async def actor_of_api_key(read: ReadSession, secret: str) -> Actor | None:
    """The actor an API key stands for, or None."""
    row = await read.row(
        "SELECT id, name, roles FROM platform_api_key"
        " WHERE tenant_id = :tenant AND fingerprint = :fingerprint AND revoked_at IS NULL",
        fingerprint=fingerprint_of(secret),
    )
    return None if row is None else Actor(ActorKind.API_KEY, row.name, row.id, permissions_of(row.roles))


async def actor_of_session(read: ReadSession, token: str) -> Actor | None:
    """The operator a session token stands for, or None when it is unknown, expired, or the operator was disabled."""
    row = await read.row(
        "SELECT o.id, o.login, o.roles FROM platform_operator_session s"
        " JOIN platform_operator o ON o.tenant_id = s.tenant_id AND o.id = s.operator_id"
        " WHERE s.tenant_id = :tenant AND s.fingerprint = :fingerprint AND s.expires_at > :now AND o.disabled_at IS NULL",
        fingerprint=fingerprint_of(token),
        now=read.now,
    )
    return None if row is None else Actor(ActorKind.OPERATOR, row.login, row.id, permissions_of(row.roles))


async def actor_of_login(read: ReadSession, login: str) -> Actor | None:
    """The operator of a login, or None when there is none or the operator was disabled."""
    row = await read.row(
        "SELECT id, login, roles FROM platform_operator WHERE tenant_id = :tenant AND login = :login AND disabled_at IS NULL",
        login=login,
    )
    return None if row is None else Actor(ActorKind.OPERATOR, row.login, row.id, permissions_of(row.roles))


@dataclass(frozen=True, slots=True)
class Session:
    token: str
    expires_at: Instant


async def log_in(runtime: Runtime, slug: str, login: str, password: str) -> Session:
    """Check a password and open a session; raises WrongLogin without saying which part was wrong."""
    tenant_id = await runtime.tenant_id_of(slug)
    async with runtime.reading(tenant_id) as read:
        row = await read.row(
            "SELECT id, password_hash FROM platform_operator"
            " WHERE tenant_id = :tenant AND login = :login AND disabled_at IS NULL",
            login=login,
        )
    # argon2 is slow on purpose: off the event loop, and with no transaction held meanwhile.
    matches = await asyncio.to_thread(verify_password, row.password_hash if row else _nobody(), password)
    if not matches or row is None:
        raise WrongLogin()
    secret = new_session_token()
    async with runtime.unit(tenant_id, system_actor("session")) as uow:
        expires_at = uow.now + SESSION_LIFETIME
        await uow.execute(
            "INSERT INTO platform_operator_session (tenant_id, fingerprint, operator_id, created_at, expires_at)"
            " VALUES (:tenant, :fingerprint, :operator, :now, :expires)",
            fingerprint=secret.fingerprint,
            operator=row.id,
            now=uow.now,
            expires=expires_at,
        )
    return Session(secret.text, expires_at)


async def log_out(uow: UnitOfWork, token: str) -> None:
    """End a session at once."""
    await uow.execute(
        "DELETE FROM platform_operator_session WHERE tenant_id = :tenant AND fingerprint = :fingerprint",
        fingerprint=fingerprint_of(token),
    )
