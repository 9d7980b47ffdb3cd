"""The books as files: CSV and Excel workbooks, written batch by batch in a thread, so that neither memory nor the event loop notices.

Amounts stand in yuan with two decimals, for people, and in fen, for programs. Text is made harmless by ``rules.cells``.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, BinaryIO, Protocol, TypeAlias

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from sqlalchemy import Row

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.money import to_yuan
from xinzu.kernel.time import BusinessDate
from xinzu.records.ledger.model import Account, Side, StatementLine, TrialBalance
from xinzu.records.ledger.naming import source_of, subject_of
from xinzu.records.ledger.rules.cells import safe_text

ROWS_PER_BATCH = 500
SHEET_ROWS_MAX = 1_000_000  # Excel has 1,048,576
BOM = "\ufeff".encode()
YUAN_FORMAT = "#,##0.00"


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


BALANCE_HEADING = (
    *("科目编码 code", "科目名称 name", "name_en", "类别 type"),
    *("期初借方 opening_debit", "期初贷方 opening_credit", "本期借方 debit", "本期贷方 credit", "期末借方 closing_debit"),
    *("期末贷方 closing_credit", "opening_debit_fen", "opening_credit_fen", "debit_fen", "credit_fen"),
    *("closing_debit_fen", "closing_credit_fen"),
)
STATEMENT_HEADING = (
    *("日期 date", "生效日期 effective_on", "凭证号 entry_no", "行 line", "摘要 memo", "对方科目 counter_account"),
    *("辅助核算 subject", "借方 debit", "贷方 credit", "余额 balance", "debit_fen", "credit_fen", "balance_fen"),
    *("凭证 entry_id", "来源 kind", "source_id"),
)
JOURNAL_HEADING = (
    *("日期 date", "生效日期 effective_on", "凭证号 entry_no", "行 line", "摘要 memo", "科目编码 code", "科目名称 name"),
    *("辅助核算 subject", "借方 debit", "贷方 credit", "debit_fen", "credit_fen", "凭证 entry_id", "来源 kind", "source_id"),
)


async def trial_balance(target: BinaryIO, form: FileForm, balance: TrialBalance) -> None:
    """A row per account. A balance stands on the debit or on the credit side, so that each pair of columns has equal sums."""
    rows: list[list[Cell]] = []
    for line in balance.lines:
        account = line.account
        amounts = [
            *_by_side(account, line.opening_fen),
            *(line.debit_fen, line.credit_fen),
            *_by_side(account, line.balance_fen),
        ]
        rows.append([account.code, account.name_zh, account.name_en, account.type.value, *map(Yuan, amounts), *amounts])
    await _write(target, form, BALANCE_HEADING, _once(rows))


async def statement(
    target: BinaryIO, form: FileForm, opening_fen: int, first: BusinessDate, batches: AsyncIterator[list[StatementLine]]
) -> None:
    """The opening balance, then a row per posting with the balance running on."""
    opening: list[Cell] = [first, None, None, None, "期初余额 opening balance", None, None, None, None, Yuan(opening_fen)]

    async def rows() -> AsyncIterator[Iterable[Sequence[Cell]]]:
        yield [[*opening, None, None, opening_fen, None, None, None]]
        async for lines in batches:
            yield map(_statement_row, lines)

    await _write(target, form, STATEMENT_HEADING, rows())


async def journal(
    target: BinaryIO, form: FileForm, chart: Mapping[str, Account], batches: AsyncIterator[Sequence[Row[Any]]]
) -> None:
    """Two rows per posting: the debit and the credit. Both columns have the same sum."""

    async def rows() -> AsyncIterator[Iterable[Sequence[Cell]]]:
        async for postings in batches:
            yield (_journal_row(row, chart, debited=debited) for row in postings for debited in (True, False))

    await _write(target, form, JOURNAL_HEADING, rows())


async def _write(
    target: BinaryIO, form: FileForm, heading: Sequence[str], batches: AsyncIterator[Iterable[Sequence[Cell]]]
) -> None:
    """Rows are also made in the thread: batches are lazy."""
    writer = _writer(target, form, heading)
    async for rows in batches:
        await asyncio.to_thread(writer.write, rows)
    await asyncio.to_thread(writer.finish)


async def _once(rows: Iterable[Sequence[Cell]]) -> AsyncIterator[Iterable[Sequence[Cell]]]:
    yield rows


def _by_side(account: Account, balance_fen: int) -> tuple[int, int]:
    """A balance as (debit, credit): one of them is zero, none is negative."""
    debit_fen = balance_fen if account.normal_side is Side.DEBIT else -balance_fen
    return max(debit_fen, 0), max(-debit_fen, 0)


def _statement_row(line: StatementLine) -> list[Cell]:
    return [
        *(line.business_date, line.effective_on or line.business_date, line.entry_no, line.line, line.memo, line.counter_account),
        subject_of(line.kind, line.subject_id),
        *(Yuan(line.debit_fen), Yuan(line.credit_fen), Yuan(line.balance_fen)),
        *(line.debit_fen, line.credit_fen, line.balance_fen),
        *(public_id(Prefix.ENTRY, line.entry_id), line.kind, source_of(line.kind, line.source_id)),
    ]


def _journal_row(row: Row[Any], chart: Mapping[str, Account], *, debited: bool) -> list[Cell]:
    code = row.debit_account if debited else row.credit_account
    debit_fen, credit_fen = (row.amount_fen, 0) if debited else (0, row.amount_fen)
    return [
        *(row.business_date, row.effective_on or row.business_date, row.entry_no, row.line, row.memo, code, chart[code].name_zh),
        subject_of(row.kind, row.subject_id),
        *(Yuan(debit_fen), Yuan(credit_fen), debit_fen, credit_fen),
        *(public_id(Prefix.ENTRY, row.id), row.kind, source_of(row.kind, row.source_id)),
    ]
