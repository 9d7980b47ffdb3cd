"""Tables as files: CSV and Excel workbooks, written batch by batch in a thread, so that neither memory nor the event loop notices.

Amounts stand in yuan with two decimals, for people, and in fen, for programs. Text is made harmless.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import BinaryIO, Protocol, TypeAlias

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from xinzu.kernel.money import to_yuan

ROWS_PER_BATCH = 500
SHEET_ROWS_MAX = 1_000_000  # Excel has 1,048,576
BOM = "\ufeff".encode()
YUAN_FORMAT = "#,##0.00"
_RUNS = ("=", "+", "-", "@", "\t", "\r")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Table(StrEnum):
    """The kinds of files."""

    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class FileForm:
    """What sort of file. ``bom`` is of CSV only: with it Excel reads the Chinese as UTF-8."""

    table: Table
    bom: bool = False


@dataclass(frozen=True, slots=True)
class Yuan:
    """An amount to be shown in yuan."""

    fen: int


Cell: TypeAlias = str | int | date | Yuan | None


class Writer(Protocol):
    """A file of rows being written."""

    def write(self, rows: Iterable[Sequence[Cell]]) -> None: ...

    def finish(self) -> None: ...


class CsvWriter:
    """RFC 4180 with CRLF, UTF-8."""

    def __init__(self, target: BinaryIO, heading: Sequence[str], *, bom: bool) -> None:
        if bom:
            target.write(BOM)
        self._text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
        self._csv = csv.writer(self._text)
        self._csv.writerow(heading)

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        self._csv.writerows([_plain(cell) for cell in row] for row in rows)

    def finish(self) -> None:
        self._text.detach()


class XlsxWriter:
    """A workbook of as many sheets as the rows need, each with the heading. openpyxl spools rows to disk and zips them at the end."""

    def __init__(self, target: BinaryIO, heading: Sequence[str]) -> None:
        self._target, self._heading = target, heading
        self._book = Workbook(write_only=True)
        self._open_sheet()

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        for row in rows:
            if self._rows == SHEET_ROWS_MAX:
                self._open_sheet()
            # A generator, because every amount is shown by one and the same cell: openpyxl writes each before it asks for the next.
            self._sheet.append(self._shown(cell) for cell in row)
            self._rows += 1

    def finish(self) -> None:
        self._book.save(self._target)

    def _open_sheet(self) -> None:
        self._sheet = self._book.create_sheet(f"{len(self._book.sheetnames) + 1}")
        self._sheet.append(list(self._heading))
        self._rows = 1
        self._amount = WriteOnlyCell(self._sheet)
        self._amount.number_format = YUAN_FORMAT

    def _shown(self, cell: Cell) -> object:
        if isinstance(cell, Yuan):
            self._amount.value = Decimal(cell.fen).scaleb(-2)
            return self._amount
        return safe_text(cell) if isinstance(cell, str) else cell


def _plain(cell: Cell) -> object:
    if isinstance(cell, Yuan):
        return to_yuan(cell.fen)
    return safe_text(cell) if isinstance(cell, str) else cell


def _writer(target: BinaryIO, form: FileForm, heading: Sequence[str]) -> Writer:
    return XlsxWriter(target, heading) if form.table is Table.XLSX else CsvWriter(target, heading, bom=form.bom)


async def write_table(
    target: BinaryIO, form: FileForm, heading: Sequence[str], batches: AsyncIterator[Iterable[Sequence[Cell]]]
) -> None:
    """Write a heading and rows. Rows are also made in the thread: batches are lazy."""
    writer = _writer(target, form, heading)
    async for rows in batches:
        await asyncio.to_thread(writer.write, rows)
    await asyncio.to_thread(writer.finish)


def safe_text(text: str) -> str:
    """Text that no spreadsheet runs: what begins like a formula gets an apostrophe before it. Control characters become spaces, because
    a workbook may not hold them.

    Spaces before the sign do not help an attacker's formula, but some programs cut them off, so they are looked through.
    Source: OWASP, CSV Injection.

    >>> safe_text("=1+1"), safe_text("租金 = 299"), safe_text(" @sum")
    ("'=1+1", '租金 = 299', "' @sum")
    """
    text = f"'{text}" if text.lstrip(" \n\u3000\ufeff").startswith(_RUNS) else text
    return _UNPRINTABLE.sub(" ", text)
