"""The books as files (``platform.spreadsheets``)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import BinaryIO

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.spreadsheets import ROWS_PER_BATCH, Cell, FileForm, Table, Yuan, write_table
from xinzu.records.ledger.model import Account, Side, StatementLine, TrialBalance
from xinzu.records.ledger.naming import source_of, subject_of

__all__ = ["ROWS_PER_BATCH", "FileForm", "Table", "journal", "statement", "trial_balance"]

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
    await write_table(target, form, BALANCE_HEADING, _once(rows))


async def statement(
    target: BinaryIO, form: FileForm, opening_fen: int, first: BusinessDate, batches: AsyncIterator[list[StatementLine]]
) -> None:
    """The opening balance, then a row per posting with the balance running on."""
    opening: list[Cell] = [first, None, None, None, "期初余额 opening balance", None, None, None, None, Yuan(opening_fen)]

    async def rows() -> AsyncIterator[Iterable[Sequence[Cell]]]:
        yield [[*opening, None, None, opening_fen, None, None, None]]
        async for lines in batches:
            yield map(_statement_row, lines)

    await write_table(target, form, STATEMENT_HEADING, rows())


async def journal(target: BinaryIO, form: FileForm, chart: Mapping[str, Account], batches: AsyncIterator[Sequence[Row]]) -> None:
    """Two rows per posting: the debit and the credit. Both columns have the same sum."""

    async def rows() -> AsyncIterator[Iterable[Sequence[Cell]]]:
        async for postings in batches:
            yield (_journal_row(row, chart, debited=debited) for row in postings for debited in (True, False))

    await write_table(target, form, JOURNAL_HEADING, rows())


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


def _journal_row(row: Row, chart: Mapping[str, Account], *, debited: bool) -> list[Cell]:
    code = row.debit_account if debited else row.credit_account
    debit_fen, credit_fen = (row.amount_fen, 0) if debited else (0, row.amount_fen)
    return [
        *(row.business_date, row.effective_on or row.business_date, row.entry_no, row.line, row.memo, code, chart[code].name_zh),
        subject_of(row.kind, row.subject_id),
        *(Yuan(debit_fen), Yuan(credit_fen), debit_fen, credit_fen),
        *(public_id(Prefix.ENTRY, row.id), row.kind, source_of(row.kind, row.source_id)),
    ]
