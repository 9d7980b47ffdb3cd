"""The front door of the ledger for other modules.

await ledger.post(uow, [Entry("billing.receipt", receipt_id, on, "…", (Posting("1012", "1122", 29_900, agreement_id),))])
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession
from xinzu.records.ledger import store
from xinzu.records.ledger.commands import open_accounts, post
from xinzu.records.ledger.errors import AccountUnknown
from xinzu.records.ledger.model import (
    Account,
    AccountStatement,
    AccountType,
    BookedEntry,
    Entry,
    Posting,
    Side,
    StatementLine,
    TrialBalance,
    TrialBalanceLine,
)

__all__ = [
    "Account",
    "AccountStatement",
    "AccountType",
    "BookedEntry",
    "Entry",
    "Posting",
    "Side",
    "StatementLine",
    "TrialBalance",
    "TrialBalanceLine",
    "account_statement",
    "accounts",
    "entries_of",
    "open_accounts",
    "post",
    "trial_balance",
]

LINES_MAX = 10_000


async def accounts(read: ReadSession) -> Sequence[Account]:
    """The tenant's chart of accounts, by code; empty before the books are open."""
    return await store.accounts(read)


async def trial_balance(read: ReadSession, on: BusinessDate) -> TrialBalance:
    """Every account's totals up to and including a business date."""
    return TrialBalance(on, tuple(await store.totals(read, on)))


async def account_statement(
    read: ReadSession, code: str, first: BusinessDate, last: BusinessDate, *, limit: int = LINES_MAX
) -> AccountStatement:
    """An account's postings between two business dates, both included, oldest first; raises AccountUnknown."""
    before = await store.totals(read, first - timedelta(days=1), code)
    if not before:
        raise AccountUnknown
    opening = before[0]
    lines = await store.statement_lines(read, opening.account, opening.balance_fen, first, last, limit)
    return AccountStatement(opening.account, opening.balance_fen, tuple(lines))


async def entries_of(
    read: ReadSession, subject_id: UUID, *, before: UUID | None = None, limit: int = LINES_MAX
) -> Sequence[BookedEntry]:
    """What was booked about a subject, newest first; ``before`` is the last entry id seen, for the next page.

    Of an entry that concerns several subjects only the postings of this one are given.
    """
    return await store.entries_of(read, subject_id, before, limit)
