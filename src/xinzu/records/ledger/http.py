"""Routes of the ledger: chart, trial balance, entries of a subject. Read only: entries come from business facts."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import Cursor, HttpRequest, Limit, reading, requires, subject_from
from xinzu.records.ledger import api, schemas

READER = [requires(Permission.LEDGER_READ)]

On = Annotated[
    date | None, QueryParameter(name="on", required=False, description="Up to and including this business date; default: today")
]
Subject = Annotated[str, QueryParameter(name="subject", max_length=64, description="The id of what was booked about, e.g. agr_…")]


@get("/v1/ledger/accounts", tags=["ledger"], operation_id="list_ledger_accounts", guards=READER)
async def list_accounts(request: HttpRequest) -> schemas.AccountList:
    """The chart of accounts."""
    async with reading(request) as read:
        return schemas.AccountList(items=[schemas.account_view(account) for account in await api.accounts(read)])


@get("/v1/ledger/trial-balance", tags=["ledger"], operation_id="get_trial_balance", guards=READER)
async def get_trial_balance(request: HttpRequest, on: On = None) -> schemas.TrialBalanceView:
    """Every account's debits, credits and balance up to a business date."""
    async with reading(request) as read:
        return schemas.trial_balance_view(await api.trial_balance(read, on or read.business_date))


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


routes = [list_accounts, get_trial_balance, list_entries]
