"""``xinzu events``: deliveries that were given up, and putting them back in line."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from xinzu.app.commands import refusals_as_sentences
from xinzu.app.process import open_runtime
from xinzu.kernel.ids import Prefix, parse_id, public_id
from xinzu.platform.actor import system_actor
from xinzu.platform.events.relay import dead_deliveries, replay_dead
from xinzu.platform.settings import load_settings

app = typer.Typer(no_args_is_help=True)


@app.command()
def dead() -> None:
    """List deliveries that failed for good: tenant, event, subscriber, attempts, last error."""

    async def show() -> int:
        found = 0
        async with open_runtime(load_settings(), pool_size=1) as runtime:
            for tenant_id in await runtime.tenant_ids():
                async with runtime.reading(tenant_id) as read:
                    for row in await dead_deliveries(read):
                        found += 1
                        event_id = public_id(Prefix.EVENT, row.event_id)
                        typer.echo(f"{tenant_id}  {event_id}  {row.type}  {row.subscriber}  {row.attempts}×  {row.last_error}")
        return found

    with refusals_as_sentences():
        if asyncio.run(show()) == 0:
            typer.echo("no dead deliveries")


@app.command()
def replay(
    event: Annotated[
        list[str] | None, typer.Argument(help="Event ids (evt_…) as `xinzu events dead` shows them; none: all.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many would be put back in line.")] = False,
) -> None:
    """Put dead deliveries back in line; the worker tries them again at once."""

    async def put_back() -> int:
        ids = [parse_id(Prefix.EVENT, text) for text in event] if event else None
        count = 0
        async with open_runtime(load_settings(), pool_size=1) as runtime:
            for tenant_id in await runtime.tenant_ids():
                if dry_run:
                    async with runtime.reading(tenant_id) as read:
                        count += sum(ids is None or row.event_id in ids for row in await dead_deliveries(read))
                else:
                    async with runtime.unit(tenant_id, system_actor("command_line")) as uow:
                        count += await replay_dead(uow, ids)
        return count

    with refusals_as_sentences():
        verb = "would be put" if dry_run else "put"
        typer.echo(f"{asyncio.run(put_back())} {verb} back in line")
