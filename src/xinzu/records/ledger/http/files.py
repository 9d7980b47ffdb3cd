"""Routes that give the books as files. A file is written whole before its first byte goes out: a refusal is still an answer, and a slow
client holds no connection of the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Annotated, BinaryIO, cast

from litestar import get
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import QueryParameter
from litestar.response import Stream

from xinzu.platform.http.door import HttpRequest, reading, subject_from
from xinzu.records.ledger import api
from xinzu.records.ledger.api import FileForm, Table
from xinzu.records.ledger.http.parameters import READER, AccountCode, AnySubject, From, FromBeginning, On, To, period

MEDIA_TYPES = {
    Table.CSV: "text/csv",
    Table.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
IN_MEMORY_BYTES_MAX = 1 << 20
CHUNK_BYTES = 1 << 16

Format = Annotated[
    Table | None,
    QueryParameter(name="format", required=False, description="The kind of file; default: what Accept asks for, or CSV"),
]
Bom = Annotated[
    bool, QueryParameter(name="bom", description="A CSV begins with a byte order mark, so that Excel reads it as UTF-8")
]


@dataclass
class FileOperation(Operation):
    """An operation whose success is a file of either kind."""

    def __post_init__(self) -> None:
        success = (self.responses or {}).get("200")
        if isinstance(success, OpenAPIResponse):
            text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
            success.content = dict.fromkeys(MEDIA_TYPES.values(), text)


@get(
    "/v1/ledger/exports/trial-balance",
    tags=["ledger"],
    operation_id="export_trial_balance",
    operation_class=FileOperation,
    guards=READER,
)
async def export_trial_balance(
    request: HttpRequest, on: On = None, first: FromBeginning = None, table: Format = None, bom: Bom = False
) -> Stream:
    """The trial balance 科目余额表 as CSV or Excel workbook. Debit columns sum to credit columns."""
    form = FileForm(_table(request, table), bom)
    async with reading(request) as read:
        last = on or read.business_date
        if first is not None:
            first, last = period(read, first, last, "/query/on")
        return await _file(
            form, f"trial-balance-{last}", lambda target: api.export_trial_balance(read, target, form, last, first=first)
        )


@get(
    "/v1/ledger/exports/lines", tags=["ledger"], operation_id="export_ledger_lines", operation_class=FileOperation, guards=READER
)
async def export_lines(
    request: HttpRequest,
    account: AccountCode,
    first: From = None,
    last: To = None,
    subject: AnySubject = None,
    table: Format = None,
    bom: Bom = False,
) -> Stream:
    """The postings of an account 明细账 as CSV or Excel workbook, with the balance running on."""
    form = FileForm(_table(request, table), bom)
    subject_id = None if subject is None else subject_from(subject)
    async with reading(request) as read:
        begin, end = period(read, first, last)
        return await _file(
            form,
            f"ledger-{account}-{begin}-{end}",
            lambda target: api.export_statement(read, target, form, account, begin, end, subject_id=subject_id),
        )


@get("/v1/ledger/exports/journal", tags=["ledger"], operation_id="export_journal", operation_class=FileOperation, guards=READER)
async def export_journal(
    request: HttpRequest, first: From = None, last: To = None, table: Format = None, bom: Bom = False
) -> Stream:
    """Every posting 序时账 as CSV or Excel workbook, a row for its debit and one for its credit; both columns have one sum."""
    form = FileForm(_table(request, table), bom)
    async with reading(request) as read:
        begin, end = period(read, first, last)
        return await _file(form, f"journal-{begin}-{end}", lambda target: api.export_journal(read, target, form, begin, end))


def _table(request: HttpRequest, asked: Table | None) -> Table:
    if asked is not None:
        return asked
    return Table.XLSX if MEDIA_TYPES[Table.XLSX] in request.headers.get("accept", "") else Table.CSV


async def _file(form: FileForm, name: str, write: Callable[[BinaryIO], Awaitable[None]]) -> Stream:
    """Write a file and answer with it. On disk as soon as it is large."""
    target = cast(BinaryIO, SpooledTemporaryFile(max_size=IN_MEMORY_BYTES_MAX))  # noqa: SIM115 (closed when it is sent)
    try:
        await write(target)
    except BaseException:
        target.close()
        raise
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form.table}"', "Cache-Control": "no-store"}
    return Stream(_chunks(target), media_type=MEDIA_TYPES[form.table], headers=headers)


async def _chunks(target: BinaryIO) -> AsyncIterator[bytes]:
    with target:
        target.seek(0)
        while chunk := await asyncio.to_thread(target.read, CHUNK_BYTES):
            yield chunk


routes = [export_trial_balance, export_lines, export_journal]
