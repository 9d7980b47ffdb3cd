"""The ledger as it goes over HTTP."""

from __future__ import annotations

import msgspec

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.records.ledger.model import Account, BookedEntry, TrialBalance


class AccountView(msgspec.Struct, kw_only=True):
    """An account of the chart."""

    code: str
    name_zh: str
    name_en: str
    type: str
    normal_side: str


class TrialBalanceLineView(msgspec.Struct, kw_only=True):
    """An account's totals; ``balance_fen`` is on its normal side."""

    code: str
    name_zh: str
    name_en: str
    debit_fen: int
    credit_fen: int
    balance_fen: int


class TrialBalanceView(msgspec.Struct, kw_only=True):
    """All accounts up to and including ``on``. The two totals are equal."""

    on: BusinessDate
    debit_fen: int
    credit_fen: int
    lines: list[TrialBalanceLineView]


class PostingView(msgspec.Struct, kw_only=True):
    """An amount moved from the credit account to the debit account."""

    debit_account: str
    credit_account: str
    amount_fen: int


class EntryView(msgspec.Struct, kw_only=True):
    """One entry; of its postings those that concern the subject asked for."""

    id: str
    entry_no: int
    business_date: BusinessDate
    kind: str
    memo: str
    recorded_at: Instant
    postings: list[PostingView]


class AccountList(msgspec.Struct, kw_only=True):
    items: list[AccountView]


class EntryPage(msgspec.Struct, kw_only=True):
    """Entries, newest first."""

    items: list[EntryView]
    next_cursor: str | None


def account_view(account: Account) -> AccountView:
    return AccountView(
        code=account.code,
        name_zh=account.name_zh,
        name_en=account.name_en,
        type=account.type.value,
        normal_side=account.normal_side.value,
    )


def trial_balance_view(balance: TrialBalance) -> TrialBalanceView:
    return TrialBalanceView(
        on=balance.on,
        debit_fen=balance.debit_fen,
        credit_fen=balance.credit_fen,
        lines=[
            TrialBalanceLineView(
                code=line.account.code,
                name_zh=line.account.name_zh,
                name_en=line.account.name_en,
                debit_fen=line.debit_fen,
                credit_fen=line.credit_fen,
                balance_fen=line.balance_fen,
            )
            for line in balance.lines
        ],
    )


def entry_view(booked: BookedEntry) -> EntryView:
    return EntryView(
        id=public_id(Prefix.ENTRY, booked.id),
        entry_no=booked.entry_no,
        business_date=booked.entry.business_date,
        kind=booked.entry.kind,
        memo=booked.entry.memo,
        recorded_at=booked.recorded_at,
        postings=[
            PostingView(debit_account=posting.debit_account, credit_account=posting.credit_account, amount_fen=posting.amount_fen)
            for posting in booked.entry.postings
        ],
    )
