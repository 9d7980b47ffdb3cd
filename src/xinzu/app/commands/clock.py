"""``xinzu clock``: the business clock of a demo. In production business time is the wall clock and cannot be moved."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import Annotated

import typer

from xinzu.app.business_day import advance as advance_by
from xinzu.app.commands import refusals_as_sentences
from xinzu.app.demo.access import demo_settings
from xinzu.app.demo.shop import saved_shops
from xinzu.app.process import open_runtime
from xinzu.kernel.time import DEFAULT_CALENDAR
from xinzu.platform.settings import load_settings

app = typer.Typer(no_args_is_help=True)
_SPAN = re.compile(r"^(\d{1,4})([dhm])$")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


@app.command()
def show() -> None:
    """The business time now."""

    async def read() -> datetime:
        async with open_runtime(load_settings(), pool_size=1) as runtime:
            return runtime.clock.now()

    with refusals_as_sentences():
        typer.echo(asyncio.run(read()).astimezone(DEFAULT_CALENDAR.zone).strftime("%Y-%m-%d %H:%M"))


@app.command()
def advance(span: Annotated[str, typer.Argument(help="How far, as 1d, 12h or 30m.")]) -> None:
    """Move business time forward, one day at a time: each day is closed and everything it causes is done before the next."""
    found = _SPAN.match(span)
    if found is None:
        raise typer.BadParameter("write it as 1d, 12h or 30m")
    by = timedelta(**{_UNITS[found.group(2)]: int(found.group(1))})

    async def move() -> datetime:
        settings = load_settings()
        if saved_shops(settings.home) is not None:
            settings = demo_settings(settings)
        async with open_runtime(settings) as runtime:
            return await advance_by(runtime, by)

    with refusals_as_sentences():
        typer.echo(asyncio.run(move()).astimezone(DEFAULT_CALENDAR.zone).strftime("%Y-%m-%d %H:%M"))
