"""Routes that read the books: chart, balances, lines of an account, journal, entries. Entries come from business facts only."""

from __future__ import annotations

from litestar import get
from litestar.params import FromPath

from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, encode_cursor, page_of
from xinzu.platform.http.door import Cursor, HttpRequest, Limit, id_from, reading, subject_from
from xinzu.records.ledger import api, schemas
from xinzu.records.ledger.http.parameters import (
    READER,
    AccountCode,
    AnySubject,
    From,
    FromBeginning,
    On,
    Subject,
    To,
    period,
    place_from,
)
from xinzu.records.ledger.model import Place
from xinzu.records.ledger.rules.places import pack


@get("/v1/ledger/accounts", tags=["ledger"], operation_id="list_ledger_accounts", guards=READER)
async def list_accounts(request: HttpRequest) -> schemas.AccountList:
    """The chart of accounts."""
    async with reading(request) as read:
        return schemas.AccountList(items=[schemas.account_view(account) for account in await api.accounts(read)])


@get("/v1/ledger/trial-balance", tags=["ledger"], operation_id="get_trial_balance", guards=READER)
async def get_trial_balance(
    request: HttpRequest, on: On = None, first: FromBeginning = None, subject: AnySubject = None
) -> schemas.TrialBalanceView:
    """Every account's opening balance, debits, credits and closing balance between two business dates; of one subject or of all."""
    subject_id = None if subject is None else subject_from(subject)
    async with reading(request) as read:
        last = on or read.business_date
        if first is not None:
            first, last = period(read, first, last, "/query/on")
        return schemas.trial_balance_view(await api.trial_balance(read, last, first=first, subject_id=subject_id))


@get("/v1/ledger/lines", tags=["ledger"], operation_id="list_ledger_lines", guards=READER)
async def list_lines(
    request: HttpRequest,
    account: AccountCode,
    first: From = None,
    last: To = None,
    subject: AnySubject = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> schemas.StatementView:
    """The postings of an account between two business dates with the balance running on; of one subject or of all."""
    subject_id = None if subject is None else subject_from(subject)
    after = place_from(cursor)
    async with reading(request) as read:
        first, last = period(read, first, last)
        statement = await api.account_statement(read, account, first, last, subject_id=subject_id, after=after, limit=limit + 1)
    lines = statement.lines[:limit]
    more = len(statement.lines) > limit
    return schemas.statement_view(statement, lines, encode_cursor(pack(lines[-1].place)) if more else None)


@get("/v1/ledger/subjects", tags=["ledger"], operation_id="list_ledger_subjects", guards=READER)
async def list_subjects(
    request: HttpRequest, account: AccountCode, on: On = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.SubjectPage:
    """The sub-ledger of an account: what moved on it up to a business date, by subject."""
    after = decode_cursor(cursor)
    async with reading(request) as read:
        totals = await api.subject_totals(read, account, on or read.business_date, after=after, limit=limit + 1)
    page = page_of(totals, limit, lambda total: total.subject_id)
    return schemas.SubjectPage(items=[schemas.subject_total_view(total) for total in page.items], next_cursor=page.next_cursor)


@get("/v1/ledger/journal", tags=["ledger"], operation_id="list_ledger_journal", guards=READER)
async def list_journal(
    request: HttpRequest, first: From = None, last: To = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.EntryPage:
    """Entries between two business dates in the order of the books: by date, then by number."""
    after = place_from(cursor)
    async with reading(request) as read:
        first, last = period(read, first, last)
        entries = await api.journal(read, first, last, after=after, limit=limit + 1)
    page = page_of(entries, limit, lambda booked: pack(Place(booked.entry.business_date, booked.entry_no, 0)))
    return schemas.EntryPage(items=[schemas.entry_view(booked) for booked in page.items], next_cursor=page.next_cursor)


@get("/v1/ledger/entries", tags=["ledger"], operation_id="list_ledger_entries", guards=READER)
async def list_entries(
    request: HttpRequest, subject: Subject, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.EntryPage:
    """What was booked about a subject, newest first."""
    subject_id, before = subject_from(subject), decode_cursor(cursor)
    async with reading(request) as read:
        entries = await api.entries_of(read, subject_id, before=before, limit=limit + 1)
    page = page_of(entries, limit, lambda booked: booked.id)
    return schemas.EntryPage(items=[schemas.entry_view(booked) for booked in page.items], next_cursor=page.next_cursor)


@get("/v1/ledger/entries/{entry_id:str}", tags=["ledger"], operation_id="get_ledger_entry", guards=READER)
async def get_entry(request: HttpRequest, entry_id: FromPath[str]) -> schemas.EntryView:
    """An entry with all its postings and the fact it books."""
    async with reading(request) as read:
        return schemas.entry_view(await api.entry(read, id_from(Prefix.ENTRY, entry_id)))


routes = [list_accounts, get_trial_balance, list_lines, list_subjects, list_journal, list_entries, get_entry]
