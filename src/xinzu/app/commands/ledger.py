"""``xinzu ledger``: the books of a tenant as files."""

from __future__ import annotations

import asyncio
import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, BinaryIO

import typer

from xinzu.app.commands import refusals_as_sentences
from xinzu.app.process import open_runtime
from xinzu.platform.settings import load_settings
from xinzu.platform.uow import ReadSession
from xinzu.records.ledger import api as ledger

app = typer.Typer(no_args_is_help=True)
CHUNK_BYTES = 1 << 16


class Report(StrEnum):
    """What can be exported."""

    TRIAL_BALANCE = "trial-balance"
    LINES = "lines"
    JOURNAL = "journal"


@app.callback()
def group() -> None:
    """The books of a tenant as files."""


@app.command()
def export(
    tenant: Annotated[str, typer.Argument(help="The tenant's short name.")],
    report: Annotated[Report, typer.Argument(help="What to export.")],
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first business date; default: the month's first.")
    ] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last; default: today.")] = None,
    account: Annotated[str, typer.Option(help="The account's code, for lines.")] = "",
    table: Annotated[ledger.Table, typer.Option("--format", help="The kind of file.")] = ledger.Table.CSV,
    bom: Annotated[bool, typer.Option("--bom", help="A CSV that Excel reads as UTF-8.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to; default: standard output.")] = None,
) -> None:
    """Export the trial balance, the lines of an account or the journal. Of the trial balance, no --from means from the beginning."""
    if report is Report.LINES and not account:
        raise typer.BadParameter("name the account, e.g. --account 1122")
    if output is None and table is ledger.Table.XLSX and sys.stdout.isatty():
        raise typer.BadParameter("a workbook is not for the screen: give --output")
    dates = (first.date() if first else None, last.date() if last else None)

    async def run(target: BinaryIO) -> None:
        async with (
            open_runtime(load_settings(), pool_size=1) as runtime,
            runtime.reading(await runtime.tenant_id_of(tenant)) as read,
        ):
            await _export(read, target, report, ledger.FileForm(table, bom), account, *dates)

    # A workbook is written with seeks, and an output that is refused halfway must not stand there like a whole one.
    with refusals_as_sentences(), TemporaryFile() as whole:
        asyncio.run(run(whole))
        whole.seek(0)
        if output is None:
            _copy(whole, sys.stdout.buffer)
        else:
            with output.open("wb") as target:
                _copy(whole, target)


async def _export(
    read: ReadSession,
    target: BinaryIO,
    report: Report,
    form: ledger.FileForm,
    account: str,
    first: date | None,
    last: date | None,
) -> None:
    end = last or read.business_date
    begin = first or end.replace(day=1)
    if begin > end:
        raise typer.BadParameter("--to must not be before --from")
    if report is Report.TRIAL_BALANCE:
        await ledger.export_trial_balance(read, target, form, end, first=first)
    elif report is Report.LINES:
        await ledger.export_statement(read, target, form, account, begin, end)
    else:
        await ledger.export_journal(read, target, form, begin, end)


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    while chunk := source.read(CHUNK_BYTES):
        target.write(chunk)
