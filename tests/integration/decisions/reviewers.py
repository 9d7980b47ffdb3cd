"""Reviewers with logins of their own, as the routes know them."""

from __future__ import annotations

import httpx
from sqlalchemy import text

from xinzu.platform.actor import system_actor
from xinzu.platform.runtime import Runtime
from xinzu.platform.tenants import create_operator

PASSWORD = "correct horse battery staple"


async def operator(api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, login: str, role: str) -> dict[str, str]:
    """A new operator who has logged in: the headers of the session."""
    async with runtime.database.engine.connect() as connection:
        slug = (await connection.execute(text("SELECT slug FROM platform_tenant WHERE id = :id"), {"id": tenant_id})).scalar()
    async with runtime.unit(tenant_id, system_actor("test")) as uow:
        await create_operator(uow, login, PASSWORD, [role])
    session = await api.post("/v1/sessions", json={"tenant": slug, "login": login, "password": PASSWORD})
    assert session.status_code == 201, session.text
    api.cookies.clear()
    return {"Cookie": session.headers["set-cookie"].partition(";")[0]}
