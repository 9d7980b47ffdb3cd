"""Balances stand on their account's normal side."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from xinzu.records.ledger.model import (
    Account,
    AccountStatement,
    AccountType,
    Entry,
    Posting,
    Side,
    TrialBalance,
    TrialBalanceLine,
)

CASH = Account("1001", "库存现金", "Cash", AccountType.ASSET, Side.DEBIT)
INCOME = Account("6001", "主营业务收入", "Income", AccountType.INCOME, Side.CREDIT)
DEPRECIATION = Account("1602", "累计折旧", "Accumulated depreciation", AccountType.ASSET, Side.CREDIT)


def test_a_balance_is_positive_on_the_normal_side_and_negative_on_the_other() -> None:
    assert TrialBalanceLine(CASH, 100, 30).balance_fen == 70
    assert TrialBalanceLine(INCOME, 30, 100).balance_fen == 70
    assert TrialBalanceLine(DEPRECIATION, 0, 5).balance_fen == 5
    assert TrialBalanceLine(CASH, 0, 30).balance_fen == -30


def test_totals_are_sums_of_lines() -> None:
    balance = TrialBalance(date(2026, 3, 2), (TrialBalanceLine(CASH, 100, 30), TrialBalanceLine(INCOME, 30, 100)))
    assert balance.debit_fen == balance.credit_fen == 130
    entry = Entry(
        "x.y",
        UUID(int=1),
        date(2026, 3, 2),
        "",
        (Posting("1001", "6001", 3, UUID(int=2)), Posting("1001", "1602", 4, UUID(int=2))),
    )
    assert entry.total_fen == 7


def test_a_statement_without_lines_closes_where_it_opened() -> None:
    assert AccountStatement(CASH, 42, ()).closing_fen == 42
