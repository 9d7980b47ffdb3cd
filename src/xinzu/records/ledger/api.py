"""The front door of the ledger for other modules.

await ledger.post(uow, [Entry("billing.receipt", receipt_id, on, "…", (Posting("1012", "1122", 29_900, agreement_id),))])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO
from uuid import UUID

from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.ledger import exports
from xinzu.records.ledger.commands import close_periods, open_accounts, post, post_many, reopen_closures
from xinzu.records.ledger.commands.closing import ClosePeriod, ReopenClosure
from xinzu.records.ledger.errors import AccountUnknown, EntryUnknown
from xinzu.records.ledger.exports import FileForm, Table
from xinzu.records.ledger.model import (
    Account,
    AccountStatement,
    AccountType,
    BookedEntry,
    Closure,
    Entry,
    Fact,
    Ingested,
    Journal,
    Movements,
    Place,
    Posting,
    Side,
    StatementLine,
    SubjectTotal,
    TrialBalance,
    TrialBalanceLine,
)
from xinzu.records.ledger.naming import name_facts
from xinzu.records.ledger.rules.digests import trial_balance_sha256
from xinzu.records.ledger.rules.journals import journal_of
from xinzu.records.ledger.store import movements, periods, reports

__all__ = [
    "Account",
    "AccountStatement",
    "AccountType",
    "BookedEntry",
    "ClosePeriod",
    "Closure",
    "Entry",
    "Fact",
    "FileForm",
    "Ingested",
    "Journal",
    "Movements",
    "Place",
    "Posting",
    "ReopenClosure",
    "Side",
    "StatementLine",
    "SubjectTotal",
    "Table",
    "TrialBalance",
    "TrialBalanceLine",
    "account_statement",
    "accounts",
    "close_periods",
    "closed_through",
    "closures",
    "entries_of",
    "entry",
    "export_journal",
    "export_statement",
    "export_trial_balance",
    "hold",
    "journal",
    "journal_of",
    "moved_since",
    "name_facts",
    "open_accounts",
    "post",
    "post_many",
    "reopen_closures",
    "subject_totals",
    "trial_balance",
    "trial_balance_sha256",
]

LINES_MAX = 10_000


async def moved_since(read: ReadSession, entry_no: int | None) -> Movements:
    """What has moved on each account since an entry, by number: for who knows how the accounts stood then and counts on. With None only the
    number of the newest entry. In a transaction that has posted or holds the books the answer stands until its commit."""
    return await movements.moved_since(read, entry_no)


async def hold(uow: UnitOfWork) -> None:
    """Let nobody else post for the tenant until this transaction ends, as if it had posted: for who compares the books with something. After
    every other row lock, like posting."""
    await movements.hold(uow)


async def accounts(read: ReadSession) -> Sequence[Account]:
    """The tenant's chart of accounts, by code; empty before the books are open."""
    return await reports.accounts(read)


async def closed_through(read: ReadSession) -> BusinessDate | None:
    """The date through which the books are closed; None when they are not."""
    newest = await periods.newest_standing(read)
    return None if newest is None else newest.through_on


async def closures(read: ReadSession, *, before: UUID | None = None, limit: int = LINES_MAX) -> Sequence[Closure]:
    """Closures of the books, newest first, reopened ones among them; ``before`` is the last id seen, for the next page."""
    return await periods.closures(read, before, limit)


async def trial_balance(
    read: ReadSession, on: BusinessDate, *, first: BusinessDate | None = None, subject_id: UUID | None = None
) -> TrialBalance:
    """Every account's totals up to and including a business date, from ``first`` or from the beginning; of one subject or of all."""
    return TrialBalance(on, tuple(await reports.totals(read, on, first=first, subject_id=subject_id)), first)


async def account_statement(
    read: ReadSession,
    code: str,
    first: BusinessDate,
    last: BusinessDate,
    *,
    subject_id: UUID | None = None,
    after: Place | None = None,
    limit: int = LINES_MAX,
) -> AccountStatement:
    """An account's postings between two business dates, both included, in the order of the books, of one subject or of all.

    ``after`` is the place of the last line seen, for the next page; the statement then opens with the balance there. Raises AccountUnknown.
    """
    account, opening_fen = await _opening(read, code, first, subject_id)
    if after is not None and after >= (begin := Place(first, 0, 0)):
        opening_fen += await reports.moved_up_to(read, account, begin.business_date, after, subject_id)
    else:
        after = Place(first, 0, 0)
    lines = await reports.statement_lines(read, account, opening_fen, last, after, subject_id, limit)
    return AccountStatement(account, opening_fen, tuple(lines))


async def journal(
    read: ReadSession, first: BusinessDate, last: BusinessDate, *, after: Place | None = None, limit: int = LINES_MAX
) -> Sequence[BookedEntry]:
    """Entries between two business dates, both included, in the order of the books; ``after`` is the place of the last one seen."""
    begin = Place(first, 0, 0)
    return await reports.journal(read, first, last, begin if after is None else max(after, begin), limit)


async def subject_totals(
    read: ReadSession, code: str, on: BusinessDate, *, after: UUID | None = None, limit: int = LINES_MAX
) -> Sequence[SubjectTotal]:
    """The sub-ledger of an account: what moved up to a date by subject. Its sum is the account's line in the trial balance.

    ``after`` is the last subject seen, for the next page. Raises AccountUnknown.
    """
    return await reports.subject_totals(read, await _account(read, code), on, after, limit)


async def entry(read: ReadSession, entry_id: UUID) -> BookedEntry:
    """An entry with all its postings; raises EntryUnknown."""
    found = await reports.entry(read, entry_id)
    if found is None:
        raise EntryUnknown
    return found


async def entries_of(
    read: ReadSession, subject_id: UUID, *, before: UUID | None = None, limit: int = LINES_MAX
) -> Sequence[BookedEntry]:
    """What was booked about a subject, newest first; ``before`` is the last entry id seen, for the next page.

    Of an entry that concerns several subjects only the postings of this one are given.
    """
    return await reports.entries_of(read, subject_id, before, limit)


async def export_trial_balance(
    read: ReadSession, target: BinaryIO, form: FileForm, on: BusinessDate, *, first: BusinessDate | None = None
) -> None:
    """The trial balance 科目余额表 as a file. Its debit columns sum to its credit columns."""
    await exports.trial_balance(target, form, await trial_balance(read, on, first=first))


async def export_statement(
    read: ReadSession,
    target: BinaryIO,
    form: FileForm,
    code: str,
    first: BusinessDate,
    last: BusinessDate,
    *,
    subject_id: UUID | None = None,
) -> None:
    """An account's postings between two dates 明细账 as a file; raises AccountUnknown before anything is written."""
    account, opening_fen = await _opening(read, code, first, subject_id)
    batches = reports.stream_statement(read, account, opening_fen, last, Place(first, 0, 0), subject_id, exports.ROWS_PER_BATCH)
    await exports.statement(target, form, opening_fen, first, batches)


async def export_journal(read: ReadSession, target: BinaryIO, form: FileForm, first: BusinessDate, last: BusinessDate) -> None:
    """Every posting between two dates 序时账 as a file, a row for its debit and one for its credit."""
    chart = {account.code: account for account in await accounts(read)}
    await exports.journal(target, form, chart, reports.stream_journal(read, first, last, exports.ROWS_PER_BATCH))


async def _account(read: ReadSession, code: str) -> Account:
    found = {account.code: account for account in await accounts(read)}.get(code)
    if found is None:
        raise AccountUnknown
    return found


async def _opening(read: ReadSession, code: str, first: BusinessDate, subject_id: UUID | None) -> tuple[Account, int]:
    """An account and its balance before a date."""
    found = await reports.totals(read, first, first=first, code=code, subject_id=subject_id)
    if not found:
        raise AccountUnknown
    return found[0].account, found[0].opening_fen
