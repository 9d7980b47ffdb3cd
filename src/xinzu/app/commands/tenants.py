"""``xinzu tenants``: open a tenant, give it logins and API keys. Secrets are printed once and kept nowhere."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from sqlalchemy import text

from xinzu.app.commands import refusals_as_sentences
from xinzu.app.process import open_runtime
from xinzu.platform.actor import ROLES, system_actor
from xinzu.platform.settings import load_settings
from xinzu.platform.tenants import create_operator, create_tenant, issue_api_key

app = typer.Typer(no_args_is_help=True)
_BY = system_actor("command_line")
Slug = Annotated[str, typer.Argument(help="The tenant's short name: lower-case letters, digits, hyphens.")]
Roles = Annotated[list[str], typer.Option("--role", help=f"One of: {', '.join(ROLES)}. May be repeated.")]


@app.command("list")
def list_tenants() -> None:
    """All tenants."""

    async def show() -> None:
        async with open_runtime(load_settings(), pool_size=1) as runtime, runtime.database.engine.connect() as connection:
            for row in await connection.execute(text("SELECT id, slug, name FROM platform_tenant ORDER BY id")):
                typer.echo(f"{row.id:>4}  {row.slug:<24} {row.name}")

    with refusals_as_sentences():
        asyncio.run(show())


@app.command()
def create(slug: Slug, name: Annotated[str, typer.Argument(help="The merchant's name.")]) -> None:
    """Open a tenant with fresh keys."""

    async def make() -> None:
        async with open_runtime(load_settings(), pool_size=1) as runtime:
            typer.echo(await create_tenant(runtime, slug, name))

    with refusals_as_sentences():
        asyncio.run(make())


@app.command()
def operator(
    slug: Slug,
    login: Annotated[str, typer.Argument(help="The login name.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    role: Roles,
) -> None:
    """Give a person a login."""

    async def make() -> None:
        async with open_runtime(load_settings(), pool_size=1) as runtime:
            tenant_id = await runtime.tenant_id_of(slug)
            async with runtime.unit(tenant_id, _BY) as uow:
                await create_operator(uow, login, password, role)

    with refusals_as_sentences():
        asyncio.run(make())


@app.command()
def key(slug: Slug, name: Annotated[str, typer.Argument(help="What the key is for.")], role: Roles) -> None:
    """Issue an API key; it is shown this once."""

    async def make() -> None:
        async with open_runtime(load_settings(), pool_size=1) as runtime:
            tenant_id = await runtime.tenant_id_of(slug)
            async with runtime.unit(tenant_id, _BY) as uow:
                typer.echo((await issue_api_key(uow, slug, name, role)).secret)

    with refusals_as_sentences():
        asyncio.run(make())
