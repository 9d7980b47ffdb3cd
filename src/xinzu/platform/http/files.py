"""Answers that are files. A file is written whole before its first byte goes out: a refusal is still an answer, and a slow client holds no
connection of the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Annotated, BinaryIO, cast

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import QueryParameter
from litestar.response import Stream

from xinzu.platform.http.door import HttpRequest
from xinzu.platform.spreadsheets import FileForm, Table

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


def form_of(request: HttpRequest, asked: Table | None, bom: bool) -> FileForm:
    """The sort of file asked for: by the parameter, or by Accept."""
    accepted = Table.XLSX if MEDIA_TYPES[Table.XLSX] in request.headers.get("accept", "") else Table.CSV
    return FileForm(asked or accepted, bom)


async def file_response(form: FileForm, name: str, write: Callable[[BinaryIO], Awaitable[None]]) -> Stream:
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
