"""The ledger as it goes over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.http.fields import ONE_LINE
from xinzu.records.ledger.model import (
    Account,
    AccountStatement,
    BookedEntry,
    Closure,
    StatementLine,
    SubjectTotal,
    TrialBalance,
)
from xinzu.records.ledger.naming import source_of, subject_of


class AccountView(msgspec.Struct, kw_only=True):
    """An account of the chart."""

    code: str
    name_zh: str
    name_en: str
    type: str
    normal_side: str


class TrialBalanceLineView(msgspec.Struct, kw_only=True):
    """What moved on an account; both balances are on its normal side. ``opening_fen`` is zero when asked from the beginning."""

    code: str
    name_zh: str
    name_en: str
    opening_fen: int
    debit_fen: int
    credit_fen: int
    balance_fen: int


class TrialBalanceView(msgspec.Struct, kw_only=True):
    """All accounts from ``from_on`` (null: the beginning) up to and including ``on``. The two totals are equal."""

    from_on: BusinessDate | None
    on: BusinessDate
    debit_fen: int
    credit_fen: int
    lines: list[TrialBalanceLineView]


class PostingView(msgspec.Struct, kw_only=True):
    """An amount moved from the credit account to the debit account, and what it is about."""

    debit_account: str
    credit_account: str
    amount_fen: int
    subject: str


class EntryView(msgspec.Struct, kw_only=True):
    """One entry with its postings; where a subject was asked for, with those that concern it. ``source`` is the fact that was booked:
    the id of what ``kind`` names. ``effective_on`` is earlier than the business date when the books were closed for it.
    """

    id: str
    entry_no: int
    business_date: BusinessDate
    effective_on: BusinessDate
    kind: str
    source: str
    memo: str
    recorded_at: Instant
    postings: list[PostingView]


class AccountList(msgspec.Struct, kw_only=True):
    items: list[AccountView]


class EntryPage(msgspec.Struct, kw_only=True):
    """Entries of a subject newest first, of the journal in the order of the books."""

    items: list[EntryView]
    next_cursor: str | None


class StatementLineView(msgspec.Struct, kw_only=True):
    """One posting seen from the account. ``balance_fen`` runs on, on the account's normal side."""

    entry_id: str
    entry_no: int
    line: int
    business_date: BusinessDate
    effective_on: BusinessDate
    kind: str
    source: str
    memo: str
    counter_account: str
    subject: str
    debit_fen: int
    credit_fen: int
    balance_fen: int


class StatementView(msgspec.Struct, kw_only=True):
    """A page of an account's postings in the order of the books; ``opening_fen`` is the balance before the first of the page."""

    account: AccountView
    opening_fen: int
    closing_fen: int
    items: list[StatementLineView]
    next_cursor: str | None


class SubjectTotalView(msgspec.Struct, kw_only=True):
    """What moved on the account about one subject; ``balance_fen`` is on the account's normal side."""

    subject: str
    debit_fen: int
    credit_fen: int
    balance_fen: int


class SubjectPage(msgspec.Struct, kw_only=True):
    """A page of an account's sub-ledger. All pages together sum to the account's line in the trial balance."""

    items: list[SubjectTotalView]
    next_cursor: str | None


Through = Annotated[
    str,
    Meta(
        pattern=r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?$(?!\n)",
        max_length=10,
        description="The month to close (2026-03) or the last date (2026-03-15)",
    ),
]


class NewClosure(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The period to close: through the end of a month, or through any date."""

    through: Through


class Reopening(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why closed books are opened again. It stays on record."""

    reason: Annotated[str, Meta(min_length=4, max_length=500, pattern=ONE_LINE)]


class ClosureView(msgspec.Struct, kw_only=True):
    """The books closed through a date. The three ``reopen`` members are null while it stands."""

    id: str
    through_on: BusinessDate
    closed_by: str
    closed_at: Instant
    reopened_by: str | None
    reopened_at: Instant | None
    reopen_reason: str | None


class ClosurePage(msgspec.Struct, kw_only=True):
    """Closures, newest first."""

    items: list[ClosureView]
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
        from_on=balance.first,
        on=balance.on,
        debit_fen=balance.debit_fen,
        credit_fen=balance.credit_fen,
        lines=[
            TrialBalanceLineView(
                code=line.account.code,
                name_zh=line.account.name_zh,
                name_en=line.account.name_en,
                opening_fen=line.opening_fen,
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
        effective_on=booked.entry.effective_on or booked.entry.business_date,
        kind=booked.entry.kind,
        source=source_of(booked.entry.kind, booked.entry.source_id),
        memo=booked.entry.memo,
        recorded_at=booked.recorded_at,
        postings=[
            PostingView(
                debit_account=posting.debit_account,
                credit_account=posting.credit_account,
                amount_fen=posting.amount_fen,
                subject=subject_of(booked.entry.kind, posting.subject_id),
            )
            for posting in booked.entry.postings
        ],
    )


def statement_view(statement: AccountStatement, lines: Sequence[StatementLine], next_cursor: str | None) -> StatementView:
    """A page of a statement: those of its lines that fit."""
    return StatementView(
        account=account_view(statement.account),
        opening_fen=statement.opening_fen,
        closing_fen=lines[-1].balance_fen if lines else statement.opening_fen,
        items=[
            StatementLineView(
                entry_id=public_id(Prefix.ENTRY, line.entry_id),
                entry_no=line.entry_no,
                line=line.line,
                business_date=line.business_date,
                effective_on=line.effective_on or line.business_date,
                kind=line.kind,
                source=source_of(line.kind, line.source_id),
                memo=line.memo,
                counter_account=line.counter_account,
                subject=subject_of(line.kind, line.subject_id),
                debit_fen=line.debit_fen,
                credit_fen=line.credit_fen,
                balance_fen=line.balance_fen,
            )
            for line in lines
        ],
        next_cursor=next_cursor,
    )


def subject_total_view(total: SubjectTotal) -> SubjectTotalView:
    return SubjectTotalView(
        subject=subject_of(total.kind, total.subject_id),
        debit_fen=total.debit_fen,
        credit_fen=total.credit_fen,
        balance_fen=total.balance_fen,
    )


def closure_view(closure: Closure) -> ClosureView:
    return ClosureView(
        id=public_id(Prefix.CLOSURE, closure.id),
        through_on=closure.through_on,
        closed_by=closure.closed_by,
        closed_at=closure.closed_at,
        reopened_by=closure.reopened_by,
        reopened_at=closure.reopened_at,
        reopen_reason=closure.reopen_reason,
    )
